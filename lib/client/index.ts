import { setErrorExplainer } from './client-errors.js';
import { explanation } from './explanations.js';

export * from './production.js';

setErrorExplainer(explanation);
