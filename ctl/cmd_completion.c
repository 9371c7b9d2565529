#include "config.h"

#include <stdio.h>

#include "ctl/commands.h"
#include "ctl/parse.h"

#define PATH_WORDS 128

static void
print_words(const struct keyword *table)
{
	const struct keyword *k;

	for (k = table; k->word != NULL; k++)
		printf("%s%s", k == table ? "" : " ", k->word);
}

static void
print_options(uint64_t bits)
{
	const struct option_def *o;
	const char *gap = "";

	for (o = ctl_options; o->name != NULL; o++)
		if (o->bit & bits) {
			printf("%s--%s", gap, o->name);
			gap = " ";
		}
}

/* One line for each path of words: what may come next. */
static void
print_cases(const struct keyword *table, const char *path)
{
	char below[PATH_WORDS];
	const struct keyword *k;

	printf("\t\"%s\") words=\"", path);
	print_words(table);
	printf("\" ;;\n");
	for (k = table; k->word != NULL; k++) {
		if ((size_t)snprintf(below, sizeof(below), "%s %s", path,
			k->word) >= sizeof(below))
			continue;
		if (k->sub != NULL) {
			print_cases(k->sub, below);
			continue;
		}
		printf("\t\"%s\"*) words=\"", below);
		print_options(k->options | OPT_SOCKET | OPT_HELP);
		printf("\" ;;\n");
	}
}

/* Options whose value is the next word, which is no verb. */
static void
print_takers(void)
{
	const struct option_def *o;
	const char *gap = "";

	for (o = ctl_options; o->name != NULL; o++) {
		if (o->value == NULL)
			continue;
		printf("%s--%s", gap, o->name);
		gap = "|";
		if (o->letter != '\0')
			printf("|-%c", o->letter);
	}
}

static void
print_script(void)
{
	printf("_posternctl() {\n"
	       "\tlocal path= words= i\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n\t\t");
	print_takers();
	printf(")\n"
	       "\t\t\t[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
	       "\t\t\t((i++))\n"
	       "\t\t\t;;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) path=\"$path ${COMP_WORDS[i]}\" ;;\n"
	       "\t\tesac\n"
	       "\tdone\n"
	       "\tcase \"$path\" in\n");
	print_cases(ctl_keywords, "");
	printf("\tesac\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- "
	       "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
	       "}\n"
	       "complete -o default -F _posternctl posternctl\n");
}

int
cmd_completion_bash(const struct invocation *inv)
{
	print_script();
	return 0;
}

int
cmd_completion_zsh(const struct invocation *inv)
{
	printf("autoload -U +X bashcompinit && bashcompinit\n");
	print_script();
	return 0;
}
