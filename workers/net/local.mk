# workers/net
