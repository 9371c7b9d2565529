#include "config.h"

#include <sys/stat.h>

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * main() of a fuzz target where there is no libFuzzer: every input as it
 * is, then MUTATIONS of it, the same ones in each run.
 */
#define MUTATIONS 64
#define INPUT_MAX (4u * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int LLVMFuzzerInitialize(int *, char ***) __attribute__((weak));

static uint64_t seed = 88172645463325252ull;

static uint64_t
xorshift(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static size_t
mutate(uint8_t *buf, size_t len)
{
	static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, '"', '\\', '{',
	    '[', '\n', '-', '9'};
	size_t n = 1 + xorshift() % 4, at;

	while (n-- > 0 && len > 0) {
		at = xorshift() % len;
		switch (xorshift() % 4) {
		case 0:
			buf[at] ^= (uint8_t)(1u << xorshift() % 8);
			break;
		case 1:
			buf[at] = odd[xorshift() % sizeof(odd)];
			break;
		case 2:
			memmove(buf + at, buf + at + 1, len - at - 1);
			len--;
			break;
		default:
			len = at;
		}
	}
	return len;
}

static void
run_copy(const uint8_t *data, size_t len)
{
	uint8_t *exact;

	/* Of its exact size, so that ASan sees a read past the end. */
	if ((exact = malloc(len == 0 ? 1 : len)) == NULL)
		err(1, "malloc");
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static void
run_file(const char *path)
{
	uint8_t *data, *copy;
	struct stat st;
	size_t len;
	FILE *fp;
	int i;

	if ((fp = fopen(path, "rb")) == NULL || fstat(fileno(fp), &st) == -1)
		err(1, "%s", path);
	if (st.st_size < 0 || (size_t)st.st_size > INPUT_MAX)
		errx(1, "%s: too large", path);
	len = (size_t)st.st_size;
	if ((data = malloc(len + 1)) == NULL ||
	    (copy = malloc(len + 1)) == NULL)
		err(1, "malloc");
	if (fread(data, 1, len, fp) != len)
		errx(1, "%s: short read", path);
	fclose(fp);
	run_copy(data, len);
	for (i = 0; i < MUTATIONS; i++) {
		memcpy(copy, data, len);
		run_copy(copy, mutate(copy, len));
	}
	free(data);
	free(copy);
}

int
main(int argc, char *argv[])
{
	int i;

	if (LLVMFuzzerInitialize != NULL)
		LLVMFuzzerInitialize(&argc, &argv);
	for (i = 1; i < argc; i++)
		run_file(argv[i]);
	return argc > 1 ? 0 : 2;
}
