/* front/print.h: words for people, of a program that anybody may have started. */
#ifndef PM_FRONT_PRINT_H
#define PM_FRONT_PRINT_H

/* What the program's messages begin with; defined beside its main(). */
extern const char pm_front_program[];

/* If the program was started with 0, 1 or 2 closed, a descriptor of its own would get that number, and a
 * message for stderr would end up in it. Close-on-exec: what is exec'd finds them closed again. */
void pm_front_occupy_stdio(void);

/* "PROGRAM: TEXT" on stderr; given up rather than waited for when nobody reads it there. */
void pm_front_print(const char *text);
/* The same of a handler, "PROGRAM[HANDLER]: TEXT"; NULL: of the program itself. */
void pm_front_print_of(const char *handler, const char *text);

/* Writes to stdout. -1: not all of it could be. */
int pm_front_print_out(const char *text);

#endif
