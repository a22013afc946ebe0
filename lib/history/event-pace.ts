import { TurnPace } from '../util/turn-pace.js';

/** Events of a history that are sent in one turn of the event loop: readers keep up, and nobody else is held up. */
export const EVENTS_PER_TURN = 16;

/** For one who has many events of a history to send. */
export const eventPace = (): TurnPace => new TurnPace(EVENTS_PER_TURN);
