# man
dist_man_MANS += man/posternctl.8 man/posternd.8
