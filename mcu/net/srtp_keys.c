#include "mcu/net/srtp_keys.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

enum { LABEL_KEY, LABEL_AUTH, LABEL_SALT, LABEL_AT = 7 };

const char *srtp_profile_name(enum srtp_profile p)
{
	switch (p) {
	case SRTP_PROFILE_CM: return "AES_CM_128_HMAC_SHA1_80";
	case SRTP_PROFILE_CM32: return "AES_CM_128_HMAC_SHA1_32";
	case SRTP_PROFILE_GCM: return "AEAD_AES_128_GCM";
	}
	return NULL;
}

size_t srtp_profile_salt_bytes(enum srtp_profile p)
{
	return p == SRTP_PROFILE_GCM ? 12 : 14;
}

/* RFC 3711 section 4.3.3: AES in counter mode over zeros, from (salt xor label)
 * * 2^16. The key derivation rate is 0. */
static int derive(EVP_CIPHER_CTX *aes, const struct srtp_keys *m, unsigned label, uint8_t *out,
		  size_t n)
{
	static const uint8_t zeros[32];
	uint8_t iv[16] = { 0 };
	int len;

	memcpy(iv, m->salt, srtp_profile_salt_bytes(m->profile));
	iv[LABEL_AT] ^= (uint8_t)label;
	if (!EVP_EncryptInit_ex(aes, EVP_aes_128_ctr(), NULL, m->key, iv) ||
	    !EVP_EncryptUpdate(aes, out, &len, zeros, (int)n))
		return -EIO;
	return 0;
}

int srtp_derive(struct srtp_session_keys *out, const struct srtp_keys *master, enum srtp_use use)
{
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
	size_t salt = srtp_profile_salt_bytes(master->profile);
	unsigned first = (unsigned)use;
	int err = aes ? 0 : -ENOMEM;

	memset(out, 0, sizeof *out);
	if (!err)
		err = derive(aes, master, first + LABEL_KEY, out->key, sizeof out->key);
	if (!err && master->profile != SRTP_PROFILE_GCM)
		err = derive(aes, master, first + LABEL_AUTH, out->auth, sizeof out->auth);
	if (!err)
		err = derive(aes, master, first + LABEL_SALT, out->salt, salt);
	EVP_CIPHER_CTX_free(aes);
	return err;
}
