# etc
posternsysconfdir = $(sysconfdir)/postern
dist_posternsysconf_DATA = etc/postern.json5.example
