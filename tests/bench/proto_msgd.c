/* msgd for the peers' load generator (see its engine.h): MSGP/1 in plain C, so that what is measured beside the
 * others is the server and not the generator.
 *   ingest  SEND_MESSAGE to userNNNN              (MESSAGE_PENDING is the acknowledgement)
 *   drain   LOGIN, CHECK_MESSAGES, one MESSAGE_RECEIPT for each burst, LOGOUT at CHECK_COMPLETE
 *   live    both ends are live; the receiver's receipts and the sender's confirmed outcomes are part of it
 *   fan-out SEND_MESSAGE with EVERYONE
 * Frames are written at fixed places, as tests/bench/frames.py does; it knows only what msgd itself writes. */
#include "engine.h"

enum { HELLO = 1, WELCOME = 2, PING = 4, PONG = 5, NOTICE = 6, LOGOUT = 7, LOGGED_OUT = 8, CREATE = 16, CREATED = 17,
       NOT_CREATED = 18, LOGIN = 19, LOGGED_IN = 20, SEND = 32, PENDING = 33, SUCCESS = 35, DISTRIBUTE = 36,
       RECEIPT = 37, CHECK = 39, COMPLETE = 40 };
enum { REQUEST = 0x01, USERNAME = 0x20, INSTALLATION = 0x21, CREATE_IF_NEW = 0x22, LIVE = 0x23, MESSAGE_ID = 0x40,
       RECIPIENT = 0x41, EVERYONE = 0x42, BODY_FIELD = 0x43, DELIVERY = 0x46 };
#define HEADER 6                 /* u16 type or field, u32 length */
#define DELIVERIES_MAX 1024
#define NAME 8                   /* userNNNN */

struct st { unsigned deliveries, is_complete; uint8_t receipt[DELIVERIES_MAX * (HEADER + 8)]; };

static uint8_t *head(uint8_t *p, unsigned kind, uint32_t n) { be16(p, kind); be32(p + 2, n); return p + HEADER; }

static void installation(struct conn *c, uint8_t *p)
{
    be32(p, O.tag);
    be32(p + 4, (uint32_t)O.w << 20 | (O.w == W_DRAIN ? c->user : c->idx));
}

static void open_(struct conn *c)
{
    uint8_t *p = buf_room(&c->out, HEADER + 8 + HEADER + 5);
    p = head(p, HELLO, 8 + HEADER + 5);
    p = head(p, 2, 2); be16(p, 1);                      /* VERSION */
    p = head(p + 2, 3, 5); memcpy(p, "bench", 5);       /* AGENT */
}

static void login(struct conn *c)
{
    char name[16];
    int is_live = O.w == W_LIVE || O.w == W_IDLE;
    if (O.w == W_DRAIN || (O.w == W_LIVE && c->role == RECEIVER)) snprintf(name, sizeof name, "user%04d", c->user);
    else snprintf(name, sizeof name, "%s%d", O.w == W_IDLE ? "idle" : "sender", c->idx);
    unsigned n = strlen(name), size = 10 + HEADER + n + HEADER + 8 + 7 + (is_live ? 7 : 0);
    uint8_t *p = head(buf_room(&c->out, HEADER + size), LOGIN, size);
    p = head(p, REQUEST, 4); be32(p, 1);
    p = head(p + 4, USERNAME, n); memcpy(p, name, n);
    p = head(p + n, INSTALLATION, 8); installation(c, p);
    p = head(p + 8, CREATE_IF_NEW, 1); *p++ = 1;
    if (is_live) { p = head(p, LIVE, 1); *p = 1; }
}

static void ask(struct conn *c, unsigned kind, uint32_t request)
{
    uint8_t *p = head(buf_room(&c->out, HEADER + 10), kind, 10);
    p = head(p, REQUEST, 4);
    be32(p, request);
}

static void prepare(struct conn *c)
{
    uint8_t *p = head(buf_room(&c->out, HEADER + 10 + HEADER + NAME), CREATE, 10 + HEADER + NAME);
    p = head(p, REQUEST, 4); be32(p, c->user + 1);
    p = head(p + 4, USERNAME, NAME); memcpy(p, "user", 4); put4dec(p + 4, c->user);
}

static void submit(struct conn *c, int user, const char *body, uint64_t seq)
{
    unsigned whom = user < 0 ? 1 : NAME, size = 10 + HEADER + 16 + HEADER + whom + HEADER + BODY;
    uint8_t *p = head(buf_room(&c->out, HEADER + size), SEND, size);
    p = head(p, REQUEST, 4); be32(p, (uint32_t)seq + 1);
    p = head(p + 4, MESSAGE_ID, 16); installation(c, p); be64(p + 8, seq + 1);
    if (user < 0) { p = head(p + 16, EVERYONE, 1); *p = 1; }
    else { p = head(p + 16, RECIPIENT, NAME); memcpy(p, "user", 4); put4dec(p + 4, user); }
    p = head(p + whom, BODY_FIELD, BODY);
    memcpy(p, body, BODY);
}

static void send_(struct conn *c, int user, const char *body, uint64_t seq) { submit(c, user, body, seq); }
static void fanout(struct conn *c, const char *body, uint64_t seq) { submit(c, -1, body, seq); }
static void drain(struct conn *c) { ask(c, CHECK, 1); }

static void confirm(struct conn *c)
{
    struct st *s = c->p;
    if (!s->deliveries) return;
    uint32_t n = s->deliveries * (HEADER + 8);
    memcpy(head(buf_room(&c->out, HEADER + n), RECEIPT, n), s->receipt, n);
    s->deliveries = 0;
}

static void keep(struct conn *c, const uint8_t *p)       /* DELIVERY, or REQUEST before it */
{
    struct st *s = c->p;
    if (rd16(p) == REQUEST) p += HEADER + 4;
    if (rd16(p) != DELIVERY) { eng_error(c, "no DELIVERY where it should be", p, 0); return; }
    memcpy(s->receipt + s->deliveries++ * (HEADER + 8), p, HEADER + 8);
    if (s->deliveries == DELIVERIES_MAX) confirm(c);
}

static size_t input(struct conn *c, const uint8_t *p, size_t n)
{
    if (n < HEADER) return 0;
    size_t size = HEADER + rd32(p + 2);
    if (n < size) return 0;
    const uint8_t *value = p + HEADER;
    struct st *s = c->p;
    switch (rd16(p)) {
    case WELCOME: login(c); break;
    case LOGGED_IN: eng_ready(c); break;
    case PENDING: eng_ack(c, (uint64_t)rd32(value + HEADER) - 1); break;
    case DISTRIBUTE: {
        const uint8_t *body = p + size - BODY;           /* the last field */
        if (rd16(body - HEADER) != BODY_FIELD) eng_error(c, "no body at the end", value, 0);
        eng_got(c, body, rd32(body - 4));
        keep(c, value);
        break;
    }
    case SUCCESS: keep(c, value); break;
    case COMPLETE: s->is_complete = 1; break;
    case LOGGED_OUT: if (eng_next_user(c)) eng_reopen(c); else eng_finished(c); break;
    case CREATED: case NOT_CREATED: if (eng_next_user(c)) prepare(c); else eng_finished(c); break;
    case PING: ask(c, PONG, rd32(value + HEADER)); break;
    case NOTICE: break;
    default: eng_error(c, "unexpected frame", p, 1);
    }
    return size;
}

static void after_input(struct conn *c)
{
    struct st *s = c->p;
    confirm(c);
    if (s->is_complete) { s->is_complete = 0; ask(c, LOGOUT, 2); }
}

const struct proto proto_msgd = { "msgd", sizeof(struct st), open_, input, prepare, send_, NULL, fanout, drain, after_input };
