# workers/account
include workers/account/stages.mk
