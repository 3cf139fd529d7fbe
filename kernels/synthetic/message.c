/* Messages between neighbours. The ranks stand in a ring, and pair up: in even rounds 0 with 1, 2 with 3 and so on, in
 * odd rounds 1 with 2, 3 with 4, and the last with 0. Where their number is odd, one is left over in each round.
 *
 * A message begins with a number that sender and round decide (cut off where it is shorter), and goes on with bytes
 * that the sender decides. Receivers add up the numbers: a message that is lost, late or doubled changes the sum.
 */
#include "../random.h"
#include "dials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

static int partner_of(int rank, int ranks, int64_t round)
{
    int partner = round % 2 == 0 ? rank ^ 1 : ((rank + 1) ^ 1) - 1;
    if (partner >= 0 && partner < ranks) return partner;
    return ranks % 2 == 0 ? (partner + ranks) % ranks : NONE;
}

static size_t head_length(size_t bytes)
{
    return bytes < sizeof(uint64_t) ? bytes : sizeof(uint64_t);
}

/* What a message begins with; of a short one, as much as it holds. */
static uint64_t head_of(const struct messages *messages, int sender, int64_t round)
{
    uint64_t head = hash_pair(hash_pair(messages->seed, (uint64_t)sender), (uint64_t)round), kept = 0;
    memcpy(&kept, &head, head_length(messages->bytes));
    return kept;
}

static unsigned char body_byte(const struct messages *messages, int sender, size_t at)
{
    return (unsigned char)hash_pair(messages->seed + (uint64_t)sender, at);
}

int messages_begin(const struct team *team, uint64_t seed, size_t bytes, struct messages *messages_p)
{
    *messages_p = (struct messages){.rank = team_rank(team), .ranks = team_size(team), .seed = seed};
    if (bytes == 0 || messages_p->ranks == 1) return 0;
    messages_p->bytes = bytes;
    messages_p->sent = malloc(bytes);
    messages_p->received = malloc(bytes);
    if (!messages_p->sent || !messages_p->received) return -ENOMEM;
    for (size_t at = 0; at < bytes; at++) messages_p->sent[at] = body_byte(messages_p, messages_p->rank, at);
    return 0;
}

void messages_end(struct messages *messages)
{
    free(messages->received);
    free(messages->sent);
    messages->received = messages->sent = NULL;
}

void messages_reset(struct messages *messages)
{
    if (messages->bytes > 0) memset(messages->received, 0, messages->bytes);
    messages->sum = 0;
}

int messages_swap(struct messages *messages, struct team *team, int64_t round)
{
    int partner = partner_of(messages->rank, messages->ranks, round);
    if (messages->bytes == 0 || partner == NONE) return 0;
    uint64_t head = head_of(messages, messages->rank, round), got = 0;
    memcpy(messages->sent, &head, head_length(messages->bytes));
    int status = team_swap(team, partner, messages->bytes, messages->sent, messages->bytes, messages->received);
    memcpy(&got, messages->received, head_length(messages->bytes));
    messages->sum += got;
    return status;
}

uint64_t messages_wrong(const struct messages *messages, int64_t rounds)
{
    uint64_t sum = 0, wrong = 0;
    int last = NONE;
    if (messages->bytes == 0) return 0;
    for (int64_t round = 0; round < rounds; round++) {
        int partner = partner_of(messages->rank, messages->ranks, round);
        if (partner == NONE) continue;
        sum += head_of(messages, partner, round);
        last = partner;
    }
    for (size_t at = head_length(messages->bytes); last != NONE && at < messages->bytes; at++)
        wrong += messages->received[at] != body_byte(messages, last, at);
    return wrong + (sum != messages->sum);
}
