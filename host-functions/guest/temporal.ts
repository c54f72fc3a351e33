/** No part of the engine's image: programs that name `Temporal` begin with it. */
import { installImplementation } from 'temporal-polyfill/shim';

installImplementation();
