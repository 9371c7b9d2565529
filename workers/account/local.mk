# workers/account
