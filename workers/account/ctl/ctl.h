/*
 * What posternctl(8) asks of an account, through the control worker.
 */
#ifndef ACCOUNT_CTL_H
#define ACCOUNT_CTL_H

struct account;

/* A (new) link to the control worker; owns fd. */
void ctl_set(struct account *, int fd);

#endif
