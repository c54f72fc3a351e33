/** Colours that people with any kind of colour vision can tell apart, on light and on dark ground; in charts, shape and words say the same. */
const LIGHT = `--ground:#fff;--panel:#f7f8fa;--text:#1b1f24;--quiet:#57606a;--rule:#c9d1d9;--grid:#e6e9ed;--good:#116329;--bad:#a40e26;--fair:#7d4e00;
--c1:#0067a8;--c2:#c04e00;--c3:#007a5a;--c4:#a03a80;--c5:#3f9bd8;--c6:#8a6d00;--other:#6e7781;--inside:#fff`;
const DARK = `--ground:#0f1216;--panel:#171b21;--text:#e6edf3;--quiet:#9aa5b1;--rule:#444c56;--grid:#262c34;--good:#56d364;--bad:#ff8a80;--fair:#e3b341;
--c1:#4db2ff;--c2:#ff9a56;--c3:#3ccf9f;--c4:#ea8fcf;--c5:#a5d4f7;--c6:#e3c14f;--other:#9aa5b1;--inside:#0f1216`;

const SERIES = [1, 2, 3, 4, 5, 6];

/** What charts need, on a page and in a file of their own. */
export const CHART_STYLE = `
svg{font:12px system-ui,sans-serif;fill:var(--text)}
.grid{stroke:var(--grid)}.rule{stroke:var(--rule)}
.tick,.axis,.note{fill:var(--quiet)}.name{font-weight:600}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round}.whisker{stroke-width:2}
.mark{stroke:var(--quiet);stroke-dasharray:4 4}
.dot{stroke:var(--ground);stroke-width:1.5}.dot.other{fill:var(--other)}.whisker.other{stroke:var(--other)}
.inside{fill:var(--inside);font-weight:600}.badge{fill:var(--quiet)}.inside-badge{fill:var(--ground);font-size:11px;font-weight:600}
text{paint-order:stroke;stroke:var(--ground);stroke-width:3px;stroke-linejoin:round}.inside,.inside-badge{stroke:none}
${SERIES.map((at) => `.line.c${at},.whisker.c${at}{stroke:var(--c${at})}.dot.c${at},.area.c${at}{fill:var(--c${at})}.t${at}{fill:var(--c${at})}.k${at}{background:var(--c${at})}`).join('\n')}
`;

/** The colours, light or dark as the reader's system is. */
export const COLOURS = `:root{color-scheme:light dark;${LIGHT}}@media (prefers-color-scheme:dark){:root{${DARK}}}`;

export const PAGE_STYLE = `${COLOURS}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3em}h2{font-size:1.25rem;margin:2.4em 0 .4em}h3{font-size:1rem;margin:0 0 .2em}
p{margin:.3em 0 .8em;max-width:75ch}.quiet{color:var(--quiet);font-size:.9rem}
a{color:var(--c1)}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.42em .7em .42em 0;border-bottom:1px solid var(--grid);vertical-align:top}th{color:var(--quiet);font-weight:600}
.number{text-align:right;white-space:nowrap}
@media (min-width:641px){.targets td[data-name]{white-space:nowrap}.targets td[data-name=ratio]{white-space:normal}}
.legend{width:auto;margin-top:.6em}.legend th{white-space:normal}.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.5em}
.verdict{font-weight:700;white-space:nowrap}.pass{color:var(--good)}.miss{color:var(--bad)}.ratio{color:var(--fair)}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,500px),1fr));gap:28px}
.panels>section{min-width:0}
figure{margin:0}svg{display:block;max-width:100%;height:auto}
.narrow{display:none}
li{max-width:80ch}p,li,td{overflow-wrap:break-word}
@media (max-width:640px){
main{padding:16px 14px 48px}.wide{display:none}.narrow{display:block}
.targets thead{display:none}.targets tr{display:block;padding:.7em 0;border-bottom:1px solid var(--rule)}
.targets td{display:block;border:0;padding:0}.targets td[data-name]::before{content:attr(data-name) ": ";color:var(--quiet)}
.targets td:empty{display:none}.targets td:first-child{font-weight:600}
}
${CHART_STYLE}`;
