/* true.c - the least command there is: what a wrapper's start is measured with */
/* SPDX-License-Identifier: MIT */
int main(void)
{
	return 0;
}
