#include <config.h>

#include "common/lookup.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Not part of anything that ends: the C library's thread uses it for as long as it takes. */
struct pm_common_request {
	struct gaicb control;
	struct addrinfo hints;
	struct pm_common_endpoint endpoint;
};

int pm_common_lookup_start(struct pm_common_lookup *lookup,
			   const struct pm_common_endpoint *endpoint, int type)
{
	struct pm_common_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return EAI_MEMORY;
	request->endpoint = *endpoint;
	request->hints = (struct addrinfo){
		.ai_family = AF_UNSPEC, .ai_socktype = type, .ai_flags = AI_NUMERICSERV};
	request->control = (struct gaicb){.ar_name = request->endpoint.host,
					  .ar_service = request->endpoint.port,
					  .ar_request = &request->hints};
	int error = getaddrinfo_a(GAI_NOWAIT, (struct gaicb *[]){&request->control}, 1, NULL);
	if (error == 0)
		lookup->request = request;
	else
		free(request);
	return error;
}

int pm_common_lookup_finish(struct pm_common_lookup *lookup, int wait_ms, struct addrinfo **found)
{
	struct pm_common_request *request = lookup->request;
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

void pm_common_lookup_close(struct pm_common_lookup *lookup)
{
	struct addrinfo *found = NULL;

	if (lookup->request == NULL)
		return;
	gai_cancel(&lookup->request->control);
	/* One that cannot be stopped keeps its memory. */
	if (pm_common_lookup_finish(lookup, 0, &found) == 0)
		freeaddrinfo(found);
}
