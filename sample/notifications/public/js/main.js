import { BillingPanel } from './billing-panel.js';
import { ConnectionsPanel } from './connections-panel.js';
import { Feed } from './feed.js';
import { PageConnection } from './page-connection.js';
import { PresencePanel } from './presence-panel.js';
import { PushConsole } from './push-console.js';

const COUNTDOWN_MS = 100;

const feed = new Feed();
const pushConsole = new PushConsole();
const billing = new BillingPanel();
const page = new PageConnection();
const presence = new PresencePanel(page.device);
const connections = new ConnectionsPanel({
  feed,
  target: (connection) => pushConsole.target(connection),
});

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

setInterval(() => {
  connections.tick();
  page.tick();
}, COUNTDOWN_MS);
