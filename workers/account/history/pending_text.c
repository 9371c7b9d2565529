#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/history/pending_text.h"
#include "workers/account/normalise.h"

char *
pending_text(const char *text, size_t n_files)
{
	char *s;
	int rc;

	if (n_files == 0 || !normalise_is_unseen(text))
		rc = asprintf(&s, "%s", text);
	else if (n_files == 1)
		rc = asprintf(&s, "<media:attachment>");
	else
		rc = asprintf(&s, "<media:attachment> (%zu attachments)",
		    n_files);
	if (rc == -1)
		fatal("asprintf");
	return s;
}
