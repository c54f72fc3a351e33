/** One call that a person is asked about. Everything in it may be shown: personal data stands as tokens. */
export interface ApprovalQuestion {
  readonly executionId: string;
  readonly principal: string;
  /** Number of the call in its run. */
  readonly call: number;
  readonly server: string;
  readonly tool: string;
  readonly arguments: unknown;
  /** The whole question in plain words, harmless to show. */
  readonly text: string;
  /** Of the question as it is kept, for `ampoule approvals`; absent where nothing is kept. */
  readonly id?: string | undefined;
}

export type ApprovalAnswer =
  | {
      readonly granted: true;
      /** Who said so, as in `ApprovalDecision.by`. Absent where nothing is kept: then it was the client. */
      readonly by?: string | undefined;
    }
  | {
      readonly granted: false;
      /**
       * `refused`: a person said no. `dismissed`: a person did not answer. `busy`: too many questions wait for one. `often`: the run has asked as
       * often as clients go along with. `changed`: what is asked about is not what a person was asked about. `unavailable`: nobody can be asked.
       */
      readonly reason: 'refused' | 'dismissed' | 'busy' | 'often' | 'changed' | 'unavailable';
      readonly by?: string | undefined;
    };

/** Asks a person. It may take as long as the run may wait; when the signal fires the answer does not matter any more. */
export interface Approver {
  ask(question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer>;
}
