/*
 * What a stranger is told once, and the code that he is given.
 */
#ifndef ACCOUNT_PAIRING_TEXT_H
#define ACCOUNT_PAIRING_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define PAIRING_CODE_LEN 8
#define PAIRING_CODE_SIZE (PAIRING_CODE_LEN + 1)

/*
 * A code from 8 random bytes that the caller got: 32 symbols, without 0 O 1
 * and I, so each byte gives 5 bits and every symbol is as likely.
 */
void pairing_code(
    const uint8_t random[PAIRING_CODE_LEN], char out[PAIRING_CODE_SIZE]);

/* The answer in Markdown, a new string. */
char *pairing_text(const char *user_id, const char *code);
/* What a person is told when a pairing was approved, a new string. */
char *pairing_approved_text(void);

#endif
