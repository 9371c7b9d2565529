/*
 * Between pattern_parse.c, which reads the source, pattern.c, which turns it
 * into a program, and pattern_run.c, which searches with that.
 */
#ifndef COMMON_PATTERN_IMPL_H
#define COMMON_PATTERN_IMPL_H

#include <stddef.h>
#include <stdint.h>

#define PROG_MAX 1024  /* instructions */
#define CLASS_MAX 64   /* ranges in all classes of a pattern */

enum op {
	OP_CHAR,       /* a: code point, in lower case */
	OP_ANY,        /* not a newline */
	OP_CLASS,      /* a: first range, b: number of them */
	OP_NOT_CLASS,
	OP_SPLIT,      /* a, b: instructions to go on with */
	OP_JUMP,       /* a */
	OP_START,
	OP_END,
	OP_WORD_EDGE,
	OP_NOT_WORD_EDGE,
	OP_MATCH
};

struct inst {
	enum op op;
	uint32_t a;
	uint32_t b;
};

/* Ranges above any code point stand for \d \w \s and their opposites. */
#define CLASS_ESCAPE 0x110000u

struct class_range {
	uint32_t first; /* CLASS_ESCAPE: last is the letter of the escape */
	uint32_t last;
};

struct pattern {
	struct inst *prog;
	size_t n_prog;
	struct class_range ranges[CLASS_MAX];
	size_t n_ranges;
	unsigned char starts[128]; /* ASCII characters a match can start with */
	int starts_other;          /* others can */
	int starts_empty;          /* a match can be empty */
};

#define REPEAT_MAX 64  /* of {m,n} */
#define NODE_MAX 1600

enum node_type {
	NODE_EMPTY,
	NODE_INST,   /* one instruction */
	NODE_CAT,    /* a then b */
	NODE_ALT,    /* a or b */
	NODE_REPEAT  /* a, min to max times (max -1: no end) */
};

struct node {
	enum node_type type;
	struct inst inst;
	int a;
	int b;
	int min;
	int max;
};

struct parser {
	const char *s;
	size_t len;
	size_t at;
	int depth;
	const char *why; /* first error, or NULL */
	struct pattern *p;
	struct node nodes[NODE_MAX];
	int n_nodes;
	int work;
};

/* Reads all of ps->s; the root node. On an error ps->why is set. */
int pattern_parse(struct parser *);
/* Note the first error and stop reading; returns 0. */
int pattern_refuse(struct parser *, const char *why);

/* The invisible characters that neither text nor pattern has. */
int pattern_ignores(uint32_t cp);
/* Fill in what a match can start with. */
void pattern_find_starts(struct pattern *);

#endif
