// What is measured, each in a file of its own. Each prints one JSON object.
#pragma once
#include <stdbool.h>

void saturate(bool direct);
void latency(bool direct);
void idle(void);
void logins(void);
void overload(void);
void flood(void);
