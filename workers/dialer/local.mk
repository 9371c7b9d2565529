# workers/dialer
