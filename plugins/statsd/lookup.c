#include <config.h>

#include "lookup.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address.h"

/* Not part of anything that ends: the C library's thread uses it for as long as it takes. */
struct pm_statsd_request {
	struct gaicb control;
	struct addrinfo hints;
	char host[PM_STATSD_HOST_SIZE];
	char port[PM_STATSD_PORT_SIZE];
};

int pm_statsd_lookup_start(struct pm_statsd_lookup *lookup, const char *host, const char *port)
{
	struct pm_statsd_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return EAI_MEMORY;
	strncpy(request->host, host, sizeof(request->host) - 1);
	strncpy(request->port, port, sizeof(request->port) - 1);
	request->hints = (struct addrinfo){
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
	request->control = (struct gaicb){.ar_name = request->host,
					  .ar_service = request->port,
					  .ar_request = &request->hints};
	int error = getaddrinfo_a(GAI_NOWAIT, (struct gaicb *[]){&request->control}, 1, NULL);
	if (error == 0)
		lookup->request = request;
	else
		free(request);
	return error;
}

int pm_statsd_lookup_finish(struct pm_statsd_lookup *lookup, int wait_ms, struct addrinfo **found)
{
	struct pm_statsd_request *request = lookup->request;
	const struct gaicb *all[] = {&request->control};
	struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L};

	if (wait_ms > 0)
		gai_suspend(all, 1, &wait);
	int error = gai_error(&request->control);
	if (error == EAI_INPROGRESS)
		return error;
	*found = request->control.ar_result;
	lookup->request = NULL;
	free(request);
	return error;
}

void pm_statsd_lookup_close(struct pm_statsd_lookup *lookup)
{
	struct addrinfo *found = NULL;

	if (lookup->request == NULL)
		return;
	gai_cancel(&lookup->request->control);
	/* One that cannot be stopped keeps its memory. */
	if (pm_statsd_lookup_finish(lookup, 0, &found) == 0)
		freeaddrinfo(found);
}
