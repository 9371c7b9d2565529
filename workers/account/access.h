/*
 * What the store knows of who may talk and where: grants, threads and
 * loops, loaded with every link to it.
 */
#ifndef ACCOUNT_ACCESS_H
#define ACCOUNT_ACCESS_H

struct account;

/* There is a (new) link to the store. */
void access_load(struct account *);
/* It has come once: decisions may be made. */
int access_loaded(const struct account *);

#endif
