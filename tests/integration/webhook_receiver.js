// A receiver that takes what the webhook handler posts apart with the libraries of CloudEvents and of
// Standard Webhooks. Prints its port, then appends one line of JSON a request to FILE.
//
// usage: node webhook_receiver.js MODULES FILE [SECRET]
"use strict";
const fs = require("fs");
const http = require("http");
const path = require("path");

const [modules, file, secret] = process.argv.slice(2);
const { HTTP } = require(path.join(modules, "cloudevents"));
const { Webhook } = require(path.join(modules, "standardwebhooks"));

function attempt(work) {
	try {
		return { value: work() };
	} catch (error) {
		return { error: String(error) };
	}
}

function takeApart(headers, body) {
	const seen = { headers, body };
	seen.event = attempt(() => {
		const event = HTTP.toEvent({ headers, body });
		event.validate();
		return event.toJSON();
	});
	if (secret) {
		const webhook = new Webhook(secret);
		seen.signed = attempt(() => webhook.verify(body, headers));
		seen.altered = attempt(() => webhook.verify(body.replace("{", "{ "), headers));
		const later = { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) + 1) };
		seen.postponed = attempt(() => webhook.verify(body, later));
	}
	return seen;
}

const connections = new Set();
const server = http.createServer((request, response) => {
	const parts = [];
	connections.add(request.socket);
	request.on("data", (part) => parts.push(part));
	request.on("end", () => {
		const seen = takeApart(request.headers, Buffer.concat(parts).toString());
		seen.connections = connections.size;
		fs.appendFileSync(file, JSON.stringify(seen) + "\n");
		response.writeHead(204);
		response.end();
	});
});
server.keepAliveTimeout = 60000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
