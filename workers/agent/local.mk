# workers/agent
