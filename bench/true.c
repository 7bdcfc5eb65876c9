/* true.c - the smallest command, to measure the start of a wrapper with */
/* SPDX-License-Identifier: MIT */
int main(void)
{
	return 0;
}
