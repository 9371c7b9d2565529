# man
dist_man_MANS += man/postern.json5.5
