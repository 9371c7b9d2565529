/*
 * Being mentioned: "@name" of the bot in a text, by its boundaries rather
 * than as a substring, and the patterns of an agent; and a text without the
 * mention, its lines and indentation otherwise untouched.
 *
 * "@bot." "@bot: hi" "(@bot)" mention bot; "@bot-2" "@bot.dev" "@bot_x"
 * "mail@bot" do not. Case does not matter. Code spans are no exception, as
 * on the server. @all, @channel and @here are nobody.
 */
#ifndef ACCOUNT_MENTION_H
#define ACCOUNT_MENTION_H

#include <stddef.h>

struct agent;

/* 1 when text mentions username (without '@'; "" mentions nobody). */
int mention_find(const char *username, const char *text);
/* 1 when one of the agent's patterns matches. */
int mention_by_pattern(const struct agent *, const char *text);
/*
 * A new string: text without the mentions of username. Without one the text
 * is only trimmed.
 */
char *mention_strip(const char *username, const char *text);
/* 1 when text is one mention and nothing but spaces and tabs around it. */
int mention_is_bare(const char *username, const char *text);

#endif
