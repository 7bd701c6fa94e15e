/*
 * A small neural network learns to tell two interleaved half circles apart, and libcairn logs how: what a training program in C looks
 * like with Cairn. Nothing is downloaded; the points are generated.
 *
 *	cairn-train DIR [MODEL]      writes DIR/model/weights.txt and DIR/loss.txt, logs a run to experiment "two moons",
 *	                             registers DIR/model as the next version of MODEL and sets its alias champion
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cairn/cairn.h>

#define HIDDEN     16
#define TRAINING   2000
#define VALIDATION 500
#define STEPS      1500
#define BATCH      32
#define CHECK      10 /* steps between two looks at the validation set */
#define MOMENTUM   0.9
#define NOISE      0.2

struct sample {
	double x, y;
	double label; /* 0 or 1 */
};

/* 2 inputs, two layers of HIDDEN with tanh, one logistic output: one array, so that an update is one loop */
enum {
	W1 = 0,
	B1 = W1 + 2 * HIDDEN,
	W2 = B1 + HIDDEN,
	B2 = W2 + HIDDEN * HIDDEN,
	W3 = B2 + HIDDEN,
	B3 = W3 + HIDDEN,
	WEIGHTS = B3 + 1
};

struct network {
	double w[WEIGHTS], gradient[WEIGHTS], velocity[WEIGHTS];
	double one[HIDDEN], two[HIDDEN]; /* activations of the last sample */
};

struct score {
	double loss, accuracy;
};

/* ---- random numbers, the same for the same seed everywhere (splitmix64) ---- */

static uint64_t seed_state;

static double
uniform(void)
{
	uint64_t z = seed_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static double
normal(void)
{
	return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform());
}

static void
make_samples(struct sample *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double angle = 3.141592653589793 * uniform();
		int moon = uniform() < 0.5;

		s[i].x = (moon ? 1 - cos(angle) : cos(angle)) + NOISE * normal();
		s[i].y = (moon ? 0.5 - sin(angle) : sin(angle)) + NOISE * normal();
		s[i].label = moon;
	}
}

/* ---- the network ---- */

static void
network_init(struct network *n)
{
	memset(n, 0, sizeof(*n));
	for (int i = W1; i < B1; i++)
		n->w[i] = normal() / sqrt(2);
	for (int i = W2; i < B2; i++)
		n->w[i] = normal() / sqrt(HIDDEN);
	for (int i = W3; i < B3; i++)
		n->w[i] = normal() / sqrt(HIDDEN);
}

static double
predict(struct network *n, const struct sample *s)
{
	double out = n->w[B3];

	for (int i = 0; i < HIDDEN; i++)
		n->one[i] = tanh(n->w[B1 + i] + n->w[W1 + 2 * i] * s->x + n->w[W1 + 2 * i + 1] * s->y);
	for (int i = 0; i < HIDDEN; i++) {
		double sum = n->w[B2 + i];

		for (int j = 0; j < HIDDEN; j++)
			sum += n->w[W2 + i * HIDDEN + j] * n->one[j];
		n->two[i] = tanh(sum);
		out += n->w[W3 + i] * n->two[i];
	}
	return 1 / (1 + exp(-out));
}

/* Adds what one sample says to the gradient, after predict() of it. */
static void
learn(struct network *n, const struct sample *s, double predicted)
{
	double error = predicted - s->label, back[HIDDEN] = { 0 };

	n->gradient[B3] += error;
	for (int i = 0; i < HIDDEN; i++) {
		double d = error * n->w[W3 + i] * (1 - n->two[i] * n->two[i]);

		n->gradient[W3 + i] += error * n->two[i];
		n->gradient[B2 + i] += d;
		for (int j = 0; j < HIDDEN; j++) {
			n->gradient[W2 + i * HIDDEN + j] += d * n->one[j];
			back[j] += d * n->w[W2 + i * HIDDEN + j];
		}
	}
	for (int j = 0; j < HIDDEN; j++) {
		double d = back[j] * (1 - n->one[j] * n->one[j]);

		n->gradient[W1 + 2 * j] += d * s->x;
		n->gradient[W1 + 2 * j + 1] += d * s->y;
		n->gradient[B1 + j] += d;
	}
}

static double
loss_of(double predicted, double label)
{
	double p = label > 0.5 ? predicted : 1 - predicted;

	return -log(p < 1e-12 ? 1e-12 : p);
}

/* Moves the weights; returns the length of the gradient. */
static double
move(struct network *n, double rate)
{
	double length = 0;

	for (int i = 0; i < WEIGHTS; i++) {
		double g = n->gradient[i] / BATCH;

		length += g * g;
		n->velocity[i] = MOMENTUM * n->velocity[i] - rate * g;
		n->w[i] += n->velocity[i];
		n->gradient[i] = 0;
	}
	return sqrt(length);
}

static struct score
validate(struct network *n, const struct sample *s, size_t count)
{
	struct score sum = { 0, 0 };

	for (size_t i = 0; i < count; i++) {
		double p = predict(n, &s[i]);

		sum.loss += loss_of(p, s[i].label);
		sum.accuracy += (p > 0.5) == (s[i].label > 0.5);
	}
	return (struct score){ sum.loss / (double)count, sum.accuracy / (double)count };
}

/* ---- training, with a point for everything worth a curve ---- */

static double
train_step(struct network *n, const struct sample *s, double rate, cairn_run *run, int64_t step)
{
	double loss = 0, length;

	for (int i = 0; i < BATCH; i++) {
		const struct sample *one = &s[(size_t)(uniform() * TRAINING)];
		double p = predict(n, one);

		loss += loss_of(p, one->label) / BATCH;
		learn(n, one, p);
	}
	length = move(n, rate);
	cairn_run_metric(run, "train/loss", loss, step);
	cairn_run_metric(run, "train/gradient_norm", length, step);
	cairn_run_metric(run, "learning_rate", rate, step);
	return loss;
}

static struct score
train(struct network *n, const struct sample *training, const struct sample *validation, cairn_run *run,
	FILE *curve)
{
	struct score last = { 0, 0 };

	for (int64_t step = 0; step < STEPS; step++) {
		double rate = 0.1 * 0.5 * (1 + cos(3.141592653589793 * (double)step / STEPS));
		double loss = train_step(n, training, rate, run, step);

		if (step % CHECK != 0 && step != STEPS - 1)
			continue;
		last = validate(n, validation, VALIDATION);
		cairn_run_metric(run, "validation/loss", last.loss, step);
		cairn_run_metric(run, "validation/accuracy", last.accuracy, step);
		fprintf(curve, "%5lld  %.4f  %.4f  %.3f  %.*s\n", (long long)step, loss, last.loss,
			last.accuracy, (int)(last.loss * 80 < 60 ? last.loss * 80 : 60),
			"############################################################");
	}
	return last;
}

/* ---- files ---- */

static FILE *
create(const char *folder, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (f == NULL)
		fprintf(stderr, "cairn-train: %s: %s\n", path, strerror(errno));
	return f;
}

static int
write_weights(const struct network *n, const char *folder)
{
	FILE *f = create(folder, "model/weights.txt");

	if (f == NULL)
		return CAIRN_EIO;
	fprintf(f, "# 2-%d-%d-1, tanh, logistic output: W1 b1 W2 b2 W3 b3, %d numbers\n", HIDDEN, HIDDEN,
		WEIGHTS);
	for (int i = 0; i < WEIGHTS; i++)
		fprintf(f, "%.17g\n", n->w[i]);
	return fclose(f) == 0 ? CAIRN_OK : CAIRN_EIO;
}

static int
make_folders(const char *folder)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/model", folder);
	if ((mkdir(folder, 0777) != 0 && errno != EEXIST) || (mkdir(path, 0777) != 0 && errno != EEXIST)) {
		fprintf(stderr, "cairn-train: %s: %s\n", path, strerror(errno));
		return CAIRN_EIO;
	}
	return CAIRN_OK;
}

/* ---- the run ---- */

static int
complain(cairn_client *client, cairn_run *run, int code)
{
	char message[1024];

	if (run != NULL)
		cairn_run_error(run, message, sizeof(message));
	if (run == NULL || message[0] == '\0')
		cairn_client_error(client, message, sizeof(message));
	fprintf(stderr, "cairn-train: %s\n", message[0] != '\0' ? message : cairn_code_text(code));
	return code;
}

static int
start(cairn_client *client, const char *seed, cairn_run **run)
{
	const cairn_pair params[] = {
		{ "hidden_units", "16" },
		{ "layers", "2" },
		{ "activation", "tanh" },
		{ "optimizer", "sgd with momentum" },
		{ "momentum", "0.9" },
		{ "learning_rate", "0.1, cosine to 0" },
		{ "batch_size", "32" },
		{ "steps", "1500" },
		{ "seed", seed },
	};
	const cairn_pair tags[] = { { "data", "two moons, generated" }, { "language", "C" } };
	const cairn_run_options options = {
		.experiment = "two moons",
		.params = params,
		.param_count = sizeof(params) / sizeof(params[0]),
		.tags = tags,
		.tag_count = sizeof(tags) / sizeof(tags[0]),
	};

	return cairn_run_start(client, &options, run);
}

/* Artifacts, a version of them, and the alias that deployments follow. */
static int
publish(cairn_client *client, cairn_run *run, const char *folder, const char *model)
{
	char path[4096];
	int64_t version = 0;
	int rc;

	snprintf(path, sizeof(path), "%s/loss.txt", folder);
	if ((rc = cairn_run_artifact(run, path, NULL)) != CAIRN_OK)
		return rc;
	snprintf(path, sizeof(path), "%s/model", folder);
	if ((rc = cairn_run_artifact(run, path, "model")) != CAIRN_OK ||
		(rc = cairn_model_register(run, model, "model", &version)) != CAIRN_OK ||
		(rc = cairn_model_alias(client, model, "champion", version)) != CAIRN_OK)
		return rc;
	printf("model     %s version %lld, alias champion\n", model, (long long)version);
	return CAIRN_OK;
}

static int
learn_and_log(cairn_client *client, cairn_run *run, const char *folder, const char *model)
{
	static struct sample training[TRAINING], validation[VALIDATION];
	static struct network network;
	struct score last;
	FILE *curve = create(folder, "loss.txt");
	int rc;

	if (curve == NULL)
		return CAIRN_EIO;
	make_samples(training, TRAINING);
	make_samples(validation, VALIDATION);
	network_init(&network);
	fprintf(curve, " step   train  validation  accuracy\n");
	last = train(&network, training, validation, run, curve);
	if (fclose(curve) != 0)
		return CAIRN_EIO;
	printf("trained   validation loss %.4f, accuracy %.3f\n", last.loss, last.accuracy);
	if ((rc = write_weights(&network, folder)) != CAIRN_OK)
		return rc;
	return publish(client, run, folder, model);
}

static int
run_once(cairn_client *client, const char *folder, const char *model)
{
	cairn_run *run = NULL;
	cairn_run_counts n;
	char seed[32];
	int rc, ended;

	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)seed_state);
	if ((rc = start(client, seed, &run)) != CAIRN_OK)
		return complain(client, NULL, rc);
	printf("run       %s\n", cairn_run_id(run));
	if ((rc = learn_and_log(client, run, folder, model)) != CAIRN_OK)
		complain(client, run, rc);
	ended = cairn_run_end(run, rc == CAIRN_OK ? CAIRN_FINISHED : CAIRN_FAILED);
	if (ended != CAIRN_OK)
		complain(client, run, ended);
	cairn_run_stats(run, &n);
	printf("logged    %llu points, parameters and tags in %llu requests, %llu lost\n",
		(unsigned long long)n.sent, (unsigned long long)n.requests, (unsigned long long)n.dropped);
	cairn_run_free(run);
	return rc != CAIRN_OK ? rc : ended;
}

int
main(int argc, char **argv)
{
	cairn_client *client;
	int rc;

	if (argc < 2 || argc > 3 || argv[1][0] == '-') {
		fprintf(stderr, "usage: cairn-train DIR [MODEL]\n");
		return CAIRN_EINVAL;
	}
	seed_state = 20240229;
	if ((rc = make_folders(argv[1])) != CAIRN_OK)
		return rc;
	rc = cairn_open(NULL, &client);
	rc = rc == CAIRN_OK ? run_once(client, argv[1], argc > 2 ? argv[2] : "two-moons")
			    : complain(client, NULL, rc);
	cairn_close(client);
	return rc;
}
