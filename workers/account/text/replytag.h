/*
 * The marks that agents of the peer put into their answers for the gateway:
 * [[reply_to_current]], [[reply_to: ID]] and [[audio_as_voice]]. Where an
 * answer goes is replyToMode's to say here, so they are taken out.
 */
#ifndef ACCOUNT_REPLYTAG_H
#define ACCOUNT_REPLYTAG_H

/*
 * A new string without them, or NULL when there are none. What stands in
 * code stays.
 */
char *replytag_strip(const char *text);
/* 1 when this text begins with what may still become one. */
int replytag_possible(const char *text);

#endif
