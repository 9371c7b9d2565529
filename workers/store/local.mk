# workers/store
