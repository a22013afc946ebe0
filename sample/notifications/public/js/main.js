import { BillingPanel } from './billing-panel.js';
import { ConnectionsPanel } from './connections-panel.js';
import { Feed } from './feed.js';
import { PageConnection } from './page-connection.js';
import { PresencePanel } from './presence-panel.js';
import { PushConsole } from './push-console.js';
import { findServers, isCluster } from './servers.js';

const COUNTDOWN_MS = 100;

/** No event tells that the connections of a killed server are gone while their account has others. */
const LOOK_AGAIN_MS = 2_000;

const feed = new Feed();
const pushConsole = new PushConsole();
const billing = new BillingPanel();
const page = new PageConnection();
const presence = new PresencePanel(page.device);
const connections = new ConnectionsPanel({
  feed,
  target: (connection) => pushConsole.target(connection),
});

await findServers();
page.open({
  presence: (name, { accountId }) => {
    if (name === 'presence:account.online') presence.edge(accountId, true);
    if (name === 'presence:account.offline') presence.edge(accountId, false);
    void presence.refresh();
  },
  // Whatever was missed while nobody listened is in the state that is read now.
  opened: () => {
    void presence.refresh();
    void billing.refresh();
  },
  lost: () => presence.unknown(),
});

if (isCluster()) setInterval(() => page.isOpen && void presence.refresh(), LOOK_AGAIN_MS);

setInterval(() => {
  connections.tick();
  page.tick();
}, COUNTDOWN_MS);
