# man
dist_man_MANS += man/posternctl.8 man/posternd.8
dist_man_MANS += man/postern.json5.5
dist_man_MANS += man/postern-frames.7 man/postern-log.7
