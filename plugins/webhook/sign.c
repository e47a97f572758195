#include <config.h>

#include "sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define PREFIX "whsec_"
#define BLANKS " \t\r\n"

/* What EVP_DecodeBlock(3) needs at most, and the room that it fills: 3 bytes for each 4. */
enum { CODED_MAX = (PM_WEBHOOK_KEY_MAX + 2) / 3 * 4, ROOM = CODED_MAX / 4 * 3 };

/* The length, -1 if it is no base64 or too long. */
static int decode(const char *text, size_t length, unsigned char bytes[ROOM])
{
	int padding = 0;

	if (length == 0 || length > CODED_MAX || length % 4 != 0)
		return -1;
	while (padding < 2 && text[length - 1 - (size_t)padding] == '=')
		padding++;
	/* It counts what is padded as bytes. */
	int got = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
	return got < 0 ? -1 : got - padding;
}

static int read_key(const char *text, size_t length, struct pm_webhook_keys *keys)
{
	const size_t prefix = strlen(PREFIX);
	unsigned char bytes[ROOM];

	if (length < prefix || memcmp(text, PREFIX, prefix) != 0)
		return -1;
	int got = decode(text + prefix, length - prefix, bytes);
	if (got >= PM_WEBHOOK_KEY_MIN && got <= PM_WEBHOOK_KEY_MAX) {
		memcpy(keys->key[keys->count].bytes, bytes, (size_t)got);
		keys->key[keys->count++].length = got;
	}
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return got >= PM_WEBHOOK_KEY_MIN && got <= PM_WEBHOOK_KEY_MAX ? 0 : -1;
}

int pm_webhook_keys_read(const struct panicmon_host *host, const char *text,
			 struct pm_webhook_keys *keys)
{
	keys->count = 0;
	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
		size_t length = strcspn(text, BLANKS);

		if (keys->count == PM_WEBHOOK_KEYS_MAX)
			return panicmon_fail(host, "there are more than %d signing secrets",
					     PM_WEBHOOK_KEYS_MAX);
		if (read_key(text, length, keys) < 0)
			return panicmon_fail(host,
					     "the signing secret is not " PREFIX
					     " and %d to %d bytes in base64: "
					     "make one with: echo " PREFIX
					     "$(openssl rand -base64 32)",
					     PM_WEBHOOK_KEY_MIN, PM_WEBHOOK_KEY_MAX);
		text += length;
	}
	return 0;
}

static void put_signature(struct pm_common_buffer *out, const struct pm_common_buffer *content,
			  const unsigned char *key, int key_length)
{
	unsigned char digest[EVP_MAX_MD_SIZE], coded[EVP_MAX_MD_SIZE * 2];
	unsigned length = 0;

	if (HMAC(EVP_sha256(), key, key_length, (const unsigned char *)content->data,
		 content->length, digest, &length) == NULL) {
		out->failed = true;
		return;
	}
	EVP_EncodeBlock(coded, digest, (int)length);
	pm_common_puts(out, "v1,");
	pm_common_puts(out, (const char *)coded);
}

void pm_webhook_sign(const struct pm_webhook_keys *keys, const char *id, int64_t seconds,
		     const struct pm_common_buffer *body, struct pm_common_buffer *out)
{
	struct pm_common_buffer content = {0};

	pm_common_puts(&content, id);
	pm_common_printf(&content, ".%lld.", (long long)seconds);
	pm_common_put(&content, body->data, body->length);
	out->failed |= content.failed;
	for (int i = 0; i < keys->count && !out->failed; i++) {
		if (i > 0)
			pm_common_puts(out, " ");
		put_signature(out, &content, keys->key[i].bytes, keys->key[i].length);
	}
	pm_common_buffer_free(&content);
}
