/*
 * Markdown tables (GFM 0.29, 4.10) in another form, for servers or people
 * that do not like them. Everything else of the text stays as it is.
 */
#ifndef ACCOUNT_TABLES_H
#define ACCOUNT_TABLES_H

enum table_mode {
	TABLES_OFF = 0, /* Mattermost shows tables itself */
	TABLES_BULLETS, /* a list for each row */
	TABLES_CODE     /* aligned, in a fenced block */
};

/* "off", "bullets", "code", "block" (which is code); else TABLES_OFF. */
enum table_mode tables_mode(const char *name);
/* A new string. */
char *tables_convert(const char *text, enum table_mode);

#endif
