// What processes have used.
#pragma once

/** CPU time of a process, all its threads, in seconds. */
double cpu_of(int pid);
/** The server's. */
double server_cpu(void);
/** Resident memory of the server, in KiB. */
unsigned long server_resident(void);
/** CPU time of this process, in seconds. */
double own_cpu(void);
