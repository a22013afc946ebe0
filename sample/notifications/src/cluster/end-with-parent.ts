/** Loaded before a server of the cluster: it leaves when the process that started it is gone, however that ended. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
