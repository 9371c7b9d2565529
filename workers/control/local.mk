# workers/control
