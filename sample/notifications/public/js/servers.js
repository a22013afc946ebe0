/** The servers that the page may go to: the one it came from, or all of a cluster. */
let servers = [location.origin];
let dialled = 0;
let answering = 0;

/** Asks the server that the page came from where else there are some. */
export async function findServers() {
  const response = await fetch('/servers').catch(() => undefined);
  const found = response?.ok ? await response.json() : [];
  if (found.length > 0) servers = found;
  answering = dialled = Math.max(0, servers.indexOf(location.origin));
}

export function isCluster() {
  return servers.length > 1;
}

/** Worth saying where there are several; empty where there is one. */
export function onServer(serverId) {
  return isCluster() ? `on ${serverId}` : '';
}

/** Another one at each attempt, as a load balancer would do it. */
export function socketUrl() {
  return `${servers[dialled++ % servers.length]}/ws`;
}

/**
 * From the server that answered last, else from the next that does. Rejects when none does. What changes something is
 * sent once: a server that was killed before it answered may have done it.
 */
export async function fetchFromAny(path, init) {
  let failure;
  for (let tried = 0; tried < servers.length; tried++) {
    try {
      return await fetch(servers[answering] + path, init);
    } catch (error) {
      failure = error;
      answering = (answering + 1) % servers.length;
      if (init.method !== 'GET') break;
    }
  }
  throw failure;
}
