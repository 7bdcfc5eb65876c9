/* figures.c - compute figures from a table of rounds */
/* SPDX-License-Identifier: MIT */
/*
 * FILE is a CSV file that measure wrote: a column for each candidate, a row for each round.
 *
 * figures FILE [BASE]		Print a line for each column: name, number of rounds, first quartile,
 *				median, third quartile, 99th percentile. BASE is the name of a column;
 *				its value is subtracted from the others of the same row.
 * figures FILE BASE A B	Print four ratios of column A to column B: of the medians over all rounds;
 *				the first and the third quartile of the ratios in ten parts of the
 *				rounds; of the 10th percentiles, which other programs on the machine
 *				disturb least. BASE is as above, or - for none.
 */
#include <math.h>

#include "../test/fixtures/fixture.h"

enum { COLUMNS = 128, ROUNDS = 20000, BLOCKS = 10 };

struct column {
	char *name;
	double *value; /* NaN: no value */
};

struct data {
	struct column column[COLUMNS];
	int columns, rounds;
};

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* A quantile of sorted values, interpolated. */
static double quantile(const double *sorted, int count, double share)
{
	double at = share * (count - 1);
	int low = (int)at;

	if (count == 0)
		return NAN;
	if (low + 1 >= count)
		return sorted[count - 1];
	return sorted[low] + (at - low) * (sorted[low + 1] - sorted[low]);
}

/* Sort the values of some rounds, less the values of base. Returns their number. */
static int column_sort(const struct column *column, const struct column *base, int from, int to,
		       double *sorted)
{
	int count = 0;

	for (int i = from; i < to; i++) {
		double value = column->value[i] - (base == NULL ? 0 : base->value[i]);

		if (!isnan(value))
			sorted[count++] = value;
	}
	qsort(sorted, (size_t)count, sizeof(*sorted), compare);
	return count;
}

static double column_median(const struct column *column, const struct column *base, int from,
			    int to)
{
	static double sorted[ROUNDS];

	return quantile(sorted, column_sort(column, base, from, to, sorted), .5);
}

/* The 10th percentile, less that of base. */
static double column_least(const struct column *column, const struct column *base, int rounds)
{
	static double sorted[ROUNDS];
	double least = quantile(sorted, column_sort(column, NULL, 0, rounds, sorted), .1);

	return least - (base == NULL ? 0 : column_least(base, NULL, rounds));
}

static const struct column *column_find(const struct data *data, const char *name)
{
	if (strcmp(name, "-") == 0)
		return NULL;
	for (int i = 0; i < data->columns; i++)
		if (strcmp(data->column[i].name, name) == 0)
			return &data->column[i];
	misused("no such column", name);
	return NULL;
}

static void data_read(struct data *data, const char *path)
{
	static char line[8192];
	FILE *file = fopen(path, "re");
	char *rest, *word;

	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		fail(path);
	line[strcspn(line, "\n")] = '\0';
	rest = strdup(line);
	strsep(&rest, ",");
	while ((word = strsep(&rest, ",")) != NULL && data->columns < COLUMNS) {
		data->column[data->columns].name = word;
		data->column[data->columns].value = calloc(ROUNDS, sizeof(double));
		if (data->column[data->columns++].value == NULL)
			fail("calloc");
	}
	while (data->rounds < ROUNDS && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		rest = line;
		strsep(&rest, ",");
		for (int i = 0; i < data->columns; i++) {
			word = strsep(&rest, ",");
			data->column[i].value[data->rounds] =
				word == NULL || *word == '\0' ? NAN : strtod(word, NULL);
		}
		data->rounds++;
	}
	fclose(file);
}

static void columns_print(const struct data *data, const struct column *base)
{
	static double sorted[ROUNDS];

	for (int i = 0; i < data->columns; i++) {
		const struct column *column = &data->column[i];
		int count = column_sort(column, base, 0, data->rounds, sorted);

		printf("%s %d %.2f %.2f %.2f %.2f\n", column->name, count,
		       quantile(sorted, count, .25), quantile(sorted, count, .5),
		       quantile(sorted, count, .75), quantile(sorted, count, .99));
	}
}

static void ratio_print(const struct data *data, const struct column *base, const struct column *a,
			const struct column *b)
{
	double block[BLOCKS];
	int blocks = data->rounds < BLOCKS ? data->rounds : BLOCKS;

	for (int i = 0; i < blocks; i++) {
		int from = data->rounds * i / blocks, to = data->rounds * (i + 1) / blocks;

		block[i] = column_median(a, base, from, to) / column_median(b, base, from, to);
	}
	qsort(block, (size_t)blocks, sizeof(block[0]), compare);
	printf("%.3f %.3f %.3f %.3f\n",
	       column_median(a, base, 0, data->rounds) / column_median(b, base, 0, data->rounds),
	       quantile(block, blocks, .25), quantile(block, blocks, .75),
	       column_least(a, base, data->rounds) / column_least(b, base, data->rounds));
}

int main(int argc, char **argv)
{
	static struct data data;

	if (argc != 2 && argc != 3 && argc != 5)
		misused("figures", "see its source");
	data_read(&data, argv[1]);
	if (argc == 5)
		ratio_print(&data, column_find(&data, argv[2]), column_find(&data, argv[3]),
			    column_find(&data, argv[4]));
	else
		columns_print(&data, argc == 3 ? column_find(&data, argv[2]) : NULL);
	return 0;
}
