#include "base/unit.h"

static void
hex_is(const uint8_t *digest, const char *want)
{
	char hex[SHA256_HEX];

	hex_encode(hex, digest, SHA256_BYTES);
	assert_string_equal(hex, want);
}

/* FIPS 180-2, appendix B */
static void
sha256_gives_the_published_digests(void **state)
{
	uint8_t d[SHA256_BYTES];
	struct sha256 h;
	char thousand[1000];

	(void)state;
	sha256_of("", 0, d);
	hex_is(d, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_of("abc", 3, d);
	hex_is(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, d);
	hex_is(d, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(thousand, 'a', sizeof(thousand));
	sha256_init(&h);
	for (int i = 0; i < 1000; i++)
		sha256_add(&h, thousand, sizeof(thousand));
	sha256_end(&h, d);
	hex_is(d, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void
sha256_in_pieces_is_the_same(void **state)
{
	uint8_t data[5000], whole[SHA256_BYTES], pieces[SHA256_BYTES];

	(void)state;
	random_bytes(data, sizeof(data));
	sha256_of(data, sizeof(data), whole);
	for (size_t step = 1; step < 200; step += 7) {
		struct sha256 h;

		sha256_init(&h);
		for (size_t at = 0; at < sizeof(data); at += step)
			sha256_add(&h, data + at, sizeof(data) - at < step ? sizeof(data) - at : step);
		sha256_end(&h, pieces);
		assert_memory_equal(whole, pieces, SHA256_BYTES);
	}
}

/* RFC 4231, cases 1, 2 and 6 */
static void
hmac_sha256_gives_the_published_codes(void **state)
{
	uint8_t key[131], d[SHA256_BYTES];

	(void)state;
	memset(key, 0x0b, 20);
	hmac_sha256(key, 20, "Hi There", 8, d);
	hex_is(d, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, d);
	hex_is(d, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, d);
	hex_is(d, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 3720, appendix B.4 */
static void
crc32c_gives_the_published_sums(void **state)
{
	uint8_t data[32];

	(void)state;
	memset(data, 0, sizeof(data));
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x8a9136aaU);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x62a8ab43U);
	for (uint8_t i = 0; i < sizeof(data); i++)
		data[i] = i;
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x46dd794eU);
	for (uint8_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(31 - i);
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x113fdb5cU);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283U);
	assert_int_equal(crc32c(0, "", 0), 0);
}

static void
crc32c_goes_on_from_a_sum(void **state)
{
	uint8_t data[300];

	(void)state;
	random_bytes(data, sizeof(data));
	for (size_t cut = 0; cut <= sizeof(data); cut++)
		assert_int_equal(crc32c(crc32c(0, data, cut), data + cut, sizeof(data) - cut),
			crc32c(0, data, sizeof(data)));
}

/* RFC 4648, section 10 */
static void
base64_gives_the_published_texts(void **state)
{
	static const char *const padded[] = { "", "Zg==", "Zm8=", "Zm9v",
		"Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	static const char *const bare[] = { "", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy" };
	char text[32], back[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(padded); i++) {
		base64_encode(text, sizeof(text), "foobar", i);
		assert_string_equal(text, padded[i]);
		assert_true(base64_decode(back, sizeof(back), &len, text, strlen(text)));
		assert_int_equal(len, i);
		assert_memory_equal(back, "foobar", i);
		base64url_encode(text, sizeof(text), "foobar", i);
		assert_string_equal(text, bare[i]);
		assert_true(base64url_decode(back, sizeof(back), &len, text, strlen(text)));
		assert_int_equal(len, i);
	}
	base64_encode(text, sizeof(text), "\xfb\xff", 2);
	assert_string_equal(text, "+/8=");
	base64url_encode(text, sizeof(text), "\xfb\xff", 2);
	assert_string_equal(text, "-_8");
}

static void
malformed_base64_is_refused(void **state)
{
	static const char *const bad[] = { "Zg", "Zg=", "Zg===", "Z", "Zm9v=", "Z!==", "Zm9v\n", " Zm9v",
		"Zm 9v", "Zh==", "-_8=", "====", "Zm9vZg==Zg==" };
	static const char *const bad_url[] = { "Zg==", "Z", "+/8", "Zh", "Zm9v=" };
	char back[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (base64_decode(back, sizeof(back), &len, bad[i], strlen(bad[i])))
			print_error("\"%s\" was read\n", bad[i]);
		assert_false(base64_decode(back, sizeof(back), &len, bad[i], strlen(bad[i])));
	}
	for (size_t i = 0; i < COUNT(bad_url); i++)
		assert_false(base64url_decode(back, sizeof(back), &len, bad_url[i], strlen(bad_url[i])));
	assert_false(base64_decode(back, 5, &len, "Zm9vYmFy", 8)); /* one byte too small */
	assert_true(base64_decode(back, 6, &len, "Zm9vYmFy", 8));
}

static void
hex_is_exact(void **state)
{
	uint8_t out[4];
	char hex[9];

	(void)state;
	assert_true(hex_decode(out, 4, "00fF10aB"));
	hex_encode(hex, out, 4);
	assert_string_equal(hex, "00ff10ab");
	assert_false(hex_decode(out, 4, "00ff10a"));
	assert_false(hex_decode(out, 4, "00ff10abc"));
	assert_false(hex_decode(out, 4, "00ff10ag"));
	assert_false(hex_decode(out, 4, "00 f10ab"));
	assert_false(hex_decode(out, 4, ""));
}

static void
randomness_does_not_repeat(void **state)
{
	char a[41], b[41];

	(void)state;
	random_hex(a, 20);
	random_hex(b, 20);
	assert_int_equal(strlen(a), 40);
	assert_string_not_equal(a, b);
	assert_true(random_u64() != random_u64());
}

static void
keyed_hashes_depend_on_the_key(void **state)
{
	uint8_t one[32] = { 1 }, two[32] = { 2 }, a[32], b[32], c[32];

	(void)state;
	keyed_hash(one, "x", 1, a);
	keyed_hash(one, "x", 1, b);
	keyed_hash(two, "x", 1, c);
	assert_true(same_bytes(a, b, 32));
	assert_false(same_bytes(a, c, 32));
	wipe(a, sizeof(a));
	assert_int_equal(a[0] | a[31], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		unit_case(sha256_gives_the_published_digests),
		unit_case(sha256_in_pieces_is_the_same),
		unit_case(hmac_sha256_gives_the_published_codes),
		unit_case(crc32c_gives_the_published_sums),
		unit_case(crc32c_goes_on_from_a_sum),
		unit_case(base64_gives_the_published_texts),
		unit_case(malformed_base64_is_refused),
		unit_case(hex_is_exact),
		unit_case(randomness_does_not_repeat),
		unit_case(keyed_hashes_depend_on_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
