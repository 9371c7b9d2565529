# The HTTP and websocket client that account and agent link.
NET_LIBS = libpostern_net.a $(CURL_LIBS) $(WSLAY_LIBS) $(OPENSSL_LIBS)
