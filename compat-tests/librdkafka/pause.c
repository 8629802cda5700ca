// Preloaded into the suite's runner: the application takes PAUSE_MS before each rd_kafka_unsubscribe. A broker answers
// within a fraction of a millisecond or takes many; what depends on who is first shows with either broker this way.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

int rd_kafka_unsubscribe(void* client) {
  static int (*unsubscribe)(void*);
  if (unsubscribe == NULL) unsubscribe = dlsym(RTLD_NEXT, "rd_kafka_unsubscribe");
  usleep(1000u * (unsigned)atoi(getenv("PAUSE_MS")));
  return unsubscribe(client);
}
