#include "config.h"

#include <limits.h>
#include <stddef.h>

#include "daemon/config_keys.h"

#define MM "channels.mattermost"
#define AD "agents.defaults"
#define AL "agents.list[]"
#define MP "models.providers.*"
#define TC "tools.message.crossContext"
#define SP "secrets.providers.*"

#define ROW(p, t, w, ...) {.path = (p), .types = (t), .what = (w), __VA_ARGS__}
#define OBJ(p, w) ROW(p, KEY_OBJ, w, .flags = 0)
#define OPEN(p, w) ROW(p, KEY_OBJ, w, .flags = KEY_OPEN)
#define BOOL(p, d, w) ROW(p, KEY_BOOL, w, .dflt = (d))
#define STR(p, d, w) ROW(p, KEY_STR, w, .dflt = (d))
#define LONG(p, n, w) ROW(p, KEY_STR, w, .max = (n))
#define STRS(p, d, w) ROW(p, KEY_STRS, w, .dflt = (d))
#define IDS(p, d, w) ROW(p, KEY_IDS, w, .dflt = (d))
#define WORD(p, x, d, w) ROW(p, KEY_WORD, w, .words = (x), .dflt = (d))
#define INT(p, lo, hi, d, w)                                                   \
	ROW(p, KEY_INT, w, .min = (lo), .max = (hi), .dflt = (d))
#define MORE(p, lo, hi, d, w)                                                  \
	ROW(p, KEY_INT, w, .min = (lo), .max = (hi), .dflt = (d),              \
	    .flags = KEY_MORE)
#define LEGACY(p, t, f, ...)                                                   \
	ROW(p, t, "old spelling", .flags = KEY_LEGACY, .fallback = (f),        \
	    __VA_ARGS__)

#define PROMPT_MAX (256 * 1024)

#define STREAM_MODES "off partial block progress"
#define REPLY_MODES "off first all batched"
#define DM_POLICIES "pairing allowlist open disabled"
#define GROUP_POLICIES "open allowlist disabled"
#define VISIBILITY "all allowlist allowlist_quote"

const struct config_key config_keys[] = {
    OPEN("", "the file"),

    OPEN("channels", "chat services"),
    OPEN("channels.defaults", "what all services start from"),
    WORD("channels.defaults.groupPolicy", GROUP_POLICIES, NULL,
	"groupPolicy of accounts that set none"),
    WORD("channels.defaults.contextVisibility", VISIBILITY, NULL,
	"contextVisibility of accounts that set none"),
    OBJ("channels.defaults.implicitMentions",
	"implicitMentions of accounts that set none"),
    BOOL("channels.defaults.implicitMentions.replyToBot", NULL,
	"taken and kept; threadParticipation decides"),
    BOOL("channels.defaults.implicitMentions.quotedBot", NULL,
	"taken and kept; Mattermost has no quotes"),
    BOOL("channels.defaults.implicitMentions.threadParticipation", NULL,
	"a thread the bot has answered in counts as a mention"),

    OBJ(MM, "the Mattermost accounts"),
    BOOL(MM ".enabled", "true", "run the account; false at the top stops all"),
    LONG(MM ".name", 256, "label for people"),
    ROW(MM ".botToken", KEY_SECRET, "access token of the bot"),
    STR(MM ".baseUrl", NULL, "address of the server"),
    STRS(MM ".capabilities", "[]",
	"what the agent is told it can do; inlineButtons: buttons"),
    WORD(MM ".chatmode", "oncall onmessage onchar", NULL,
	"when to answer in channels: mentioned, always, or by prefix"),
    ROW(MM ".oncharPrefixes", KEY_STRS,
	"prefixes that trigger with chatmode onchar", .max = 100,
	.dflt = "[\">\",\"!\"]"),
    BOOL(MM ".requireMention", NULL,
	"answer only when mentioned; chatmode, when set, goes before it"),
    OBJ(MM ".implicitMentions", "what counts as a mention without a name"),
    ROW(MM ".implicitMentions.replyToBot", KEY_BOOL,
	"taken and kept; threadParticipation decides", .dflt = "true",
	.fallback = "channels.defaults.implicitMentions.replyToBot"),
    ROW(MM ".implicitMentions.quotedBot", KEY_BOOL,
	"taken and kept; Mattermost has no quotes", .dflt = "true",
	.fallback = "channels.defaults.implicitMentions.quotedBot"),
    ROW(MM ".implicitMentions.threadParticipation", KEY_BOOL,
	"a thread the bot has answered in counts as a mention", .dflt = "true",
	.fallback = "channels.defaults.implicitMentions.threadParticipation"),
    WORD(MM ".dmPolicy", DM_POLICIES, "\"pairing\"",
	"who may write to the bot directly"),
    IDS(MM ".allowFrom", "[]", "user ids that may write directly; \"*\": all"),
    ROW(MM ".groupPolicy", KEY_WORD, "who may use the bot in channels",
	.words = GROUP_POLICIES, .dflt = "\"allowlist\"",
	.fallback = "channels.defaults.groupPolicy"),
    IDS(MM ".groupAllowFrom", "[]",
	"user ids that may use it in channels; empty: those of allowFrom"),
    ROW(MM ".groups", KEY_MAP, "settings of a channel, by id; \"*\": the rest",
	.dflt = "{}"),
    OBJ(MM ".groups.*", "one channel"),
    BOOL(MM ".groups.*.requireMention", NULL,
	"answer in this channel only when mentioned"),
    BOOL(MM ".dangerouslyAllowNameMatching", "false",
	"let user names, which can change hands, match allowlists"),
    ROW(MM ".contextVisibility", KEY_WORD,
	"whose unanswered messages the agent may see as context",
	.words = VISIBILITY, .dflt = "\"all\"",
	.fallback = "channels.defaults.contextVisibility"),
    ROW(MM ".historyLimit", KEY_INT,
	"unanswered messages kept as context for a conversation",
	.min = 0, .max = 1000, .dflt = "50", .flags = KEY_MORE,
	.fallback = "messages.groupChat.historyLimit"),
    ROW(MM ".mediaMaxMb", KEY_NUM, "largest attachment, in MiB", .min = 0,
	.max = 1024, .dflt = "8", .fallback = AD ".mediaMaxMb",
	.flags = KEY_MORE),
    OBJ(MM ".markdown", "markdown on the way out"),
    WORD(MM ".markdown.tables", "off bullets code block", "\"off\"",
	"rewrite tables; off: leave them to Mattermost"),
    MORE(MM ".textChunkLimit", 1, 1000000, "4000",
	"longest post, in UTF-16 units; longer answers are split"),
    ROW(MM ".streaming", KEY_OBJ | KEY_WORD | KEY_BOOL,
	"the preview post; a mode alone, true or false are taken too",
	.words = STREAM_MODES),
    WORD(MM ".streaming.mode", STREAM_MODES, "\"partial\"",
	"what the preview shows"),
    WORD(MM ".streaming.chunkMode", "length newline", "\"length\"",
	"where long answers are split"),
    OBJ(MM ".streaming.preview", "the preview of modes partial and block"),
    BOOL(MM ".streaming.preview.toolProgress", NULL,
	"show tool activity; on unless mode is progress"),
    WORD(MM ".streaming.preview.commandText", "raw status", "\"status\"",
	"show a tool's command or only its state"),
    OBJ(MM ".streaming.progress", "the preview of mode progress"),
    ROW(MM ".streaming.progress.label", KEY_STR | KEY_FALSE,
	"first line; auto: one of labels; false: none", .dflt = "\"auto\""),
    STRS(MM ".streaming.progress.labels", "[\"Working\"]",
	"first lines to choose from"),
    MORE(MM ".streaming.progress.maxLines", 1, 100, "8",
	"lines of activity shown"),
    MORE(MM ".streaming.progress.maxLineChars", 1, 4000, "120",
	"longest line of activity"),
    BOOL(MM ".streaming.progress.toolProgress", NULL,
	"show tool activity; absent: as preview.toolProgress, else off"),
    WORD(MM ".streaming.progress.commandText", "raw status", NULL,
	"absent: as preview.commandText"),
    OBJ(MM ".streaming.block", "finished blocks as posts of their own"),
    BOOL(MM ".streaming.block.enabled", "false",
	"post finished blocks at once, with mode off"),
    OBJ(MM ".streaming.block.coalesce", "joining of small blocks"),
    MORE(MM ".streaming.block.coalesce.minChars", 1, 1000000, "1500",
	"join blocks up to this length"),
    MORE(MM ".streaming.block.coalesce.maxChars", 1, 1000000, NULL,
	"never join beyond this length; absent: textChunkLimit"),
    MORE(MM ".streaming.block.coalesce.idleMs", 0, 600000, "1000",
	"wait this long for more to join"),
    WORD(MM ".replyToMode", REPLY_MODES, "\"off\"",
	"start a thread under a message that is in none"),
    OBJ(MM ".replyToModeByChatType", "replyToMode by kind of conversation"),
    WORD(MM ".replyToModeByChatType.direct", REPLY_MODES, NULL,
	"in direct messages; absent: off"),
    WORD(MM ".replyToModeByChatType.group", REPLY_MODES, NULL,
	"in private channels and group messages; absent: replyToMode"),
    WORD(MM ".replyToModeByChatType.channel", REPLY_MODES, NULL,
	"in public channels; absent: replyToMode"),
    ROW(MM ".responsePrefix", KEY_STR, "put before the first post of an answer",
	.fallback = "messages.responsePrefix"),
    OBJ(MM ".actions", "what the agent's message tool may do besides sending"),
    BOOL(MM ".actions.messages", "false", "read a conversation"),
    BOOL(MM ".actions.reactions", "true", "add and remove reactions"),
    OBJ(MM ".commands", "slash commands; merged with the top key by key"),
    ROW(MM ".commands.native", KEY_BOOL | KEY_WORD,
	"register the oc_ commands; auto: no", .words = "auto",
	.dflt = "\"auto\""),
    ROW(MM ".commands.nativeSkills", KEY_BOOL | KEY_WORD,
	"register a command per skill; auto: no", .words = "auto",
	.dflt = "\"auto\""),
    STR(MM ".commands.callbackPath", "\"/api/channels/mattermost/command\"",
	"path the server calls"),
    STR(MM ".commands.callbackUrl", NULL,
	"whole address the server calls, behind a proxy"),
    ROW(MM ".commands.tokens", KEY_MAP,
	"tokens of commands that an administrator made, by trigger"),
    ROW(MM ".commands.tokens.*", KEY_SECRET,
	"of that trigger, or of \"TEAM-ID/trigger\""),
    ROW(MM ".commands.custom", KEY_MAP, "further commands, by name"),
    OBJ(MM ".commands.custom.*", "one command: oc_ and its name"),
    STR(MM ".commands.custom.*.description", NULL, "what it does"),
    STR(MM ".commands.custom.*.hint", "\"[args]\"", "its arguments"),
    LONG(MM ".commands.custom.*.prompt", 4096,
	"said to the agent, before the arguments; absent: the line"),
    ROW(MM ".commands.skills", KEY_MAP,
	"skills of the agent, by name; see nativeSkills"),
    OBJ(MM ".commands.skills.*", "one skill: oc_ and its name"),
    STR(MM ".commands.skills.*.description", NULL, "what it does"),
    STR(MM ".commands.skills.*.hint", "\"[args]\"", "its arguments"),
    LONG(MM ".commands.skills.*.prompt", 4096,
	"said to the agent, before the arguments; absent: the line"),
    LEGACY(MM ".commands.useAccessGroups", KEY_BOOL, NULL),
    OBJ(MM ".interactions", "button clicks"),
    STR(MM ".interactions.callbackBaseUrl", NULL,
	"address the server calls, before the path"),
    STRS(MM ".interactions.allowedSourceIps", "[\"127.0.0.1\",\"::1\"]",
	"addresses and networks clicks may come from"),
    OBJ(MM ".network", "where connections may go"),
    BOOL(MM ".network.dangerouslyAllowPrivateNetwork", "false",
	"taken and kept; the configured servers are always reached"),
    OBJ(MM ".dmChannelRetry", "retries of opening a direct channel"),
    INT(MM ".dmChannelRetry.maxRetries", 0, 10, "3", "how often"),
    INT(MM ".dmChannelRetry.initialDelayMs", 100, 60000, "1000",
	"wait before the first"),
    INT(MM ".dmChannelRetry.maxDelayMs", 1000, 60000, "10000",
	"longest wait"),
    INT(MM ".dmChannelRetry.timeoutMs", 5000, 120000, "30000",
	"deadline of one attempt"),
    BOOL(MM ".configWrites", "true",
	"taken and kept; nothing in a chat can change the configuration"),
    BOOL(MM ".allowBots", "false", "answer posts of bots and webhooks"),
    ROW(MM ".proxy", KEY_PROXY, "HTTP proxy, reached with CONNECT"),
    STR(MM ".caFile", NULL, "certificates to trust in place of the system's"),
    LONG(MM ".tlsPin", 128, "public key the server must show: sha256//..."),
    ROW(MM ".mediaHosts", KEY_STRS,
	"further servers attachments may be fetched from", .max = 64,
	.dflt = "[]"),
    OBJ(MM ".gapFill", "posts written while nobody was connected"),
    ROW(MM ".gapFill.maxAgeMinutes", KEY_INT, "older ones are not answered",
	.min = 0, .max = 525600, .dflt = "60",
	.fallback = "gapFill.maxAgeMinutes"),
    OBJ(MM ".mentionPatterns", "where the agents' mention patterns hold"),
    WORD(MM ".mentionPatterns.mode", "allow deny", "\"allow\"",
	"everywhere but in denyIn, or nowhere but in allowIn"),
    IDS(MM ".mentionPatterns.allowIn", "[]", "channel ids"),
    IDS(MM ".mentionPatterns.denyIn", "[]", "channel ids"),
    LEGACY(MM ".streamMode", KEY_WORD, MM ".streaming.mode",
	.words = STREAM_MODES),
    LEGACY(MM ".chunkMode", KEY_WORD, MM ".streaming.chunkMode",
	.words = "length newline"),
    LEGACY(MM ".blockStreaming", KEY_BOOL, MM ".streaming.block.enabled"),
    LEGACY(MM ".blockStreamingCoalesce", KEY_OBJ,
	MM ".streaming.block.coalesce"),
    LEGACY(MM ".allowPrivateNetwork", KEY_BOOL,
	MM ".network.dangerouslyAllowPrivateNetwork"),
    ROW(MM ".accounts", KEY_MAP,
	"accounts by id; what one leaves out it takes from the top",
	.flags = KEY_ROOT),
    ROW(MM ".accounts.*", KEY_OBJ | KEY_NULL, "one account",
	.flags = KEY_ROOT),
    ROW(MM ".defaultAccount", KEY_STR,
	"account used when none is named; else default, else the first",
	.flags = KEY_ROOT),

    OPEN("agents", "the agents"),
    OPEN(AD, "what all agents start from"),
    WORD(AD ".runtime", "echo model", NULL,
	"absent: model when one is set, else echo"),
    ROW(AD ".model", KEY_STR | KEY_OBJ,
	"provider/model, or an object with primary", .flags = KEY_OPEN,
	.max = 256),
    LONG(AD ".model.primary", 256, "provider/model"),
    LONG(AD ".prompt", PROMPT_MAX, "system prompt"),
    LEGACY(AD ".systemPrompt", KEY_STR, AD ".prompt",
	.max = PROMPT_MAX),
    MORE(AD ".timeoutSeconds", 1, 86400, "600", "deadline of a turn"),
    ROW(AD ".mediaMaxMb", KEY_NUM, "mediaMaxMb of accounts that set none",
	.min = 0, .max = 1024, .flags = KEY_MORE),
    WORD(AD ".typingMode", "never instant thinking message", "\"instant\"",
	"when \"typing\" is shown"),
    ROW(AD ".typingIntervalSeconds", KEY_NUM, "how often it is repeated",
	.min = 0, .max = 3600, .dflt = "3", .flags = KEY_MORE),
    STR(AD ".userTimezone", NULL, "time zone of times told to the agent"),
    WORD(AD ".blockStreamingDefault", "on off", "\"off\"",
	"blocks as posts where an account does not say"),
    ROW("agents.list", KEY_LIST, "the agents, in order", .flags = 0),
    OPEN(AL, "one agent"),
    LONG(AL ".id", 256, "its name in bindings and session keys"),
    BOOL(AL ".default", "false", "takes what no binding gives to another"),
    LONG(AL ".name", 256, "label for people"),
    OPEN(AL ".identity", "how it is called in chats"),
    LONG(AL ".identity.name", 256, "mention pattern when none is set"),
    LONG(AL ".identity.emoji", 64, "mention pattern when none is set"),
    ROW(AL ".runtime", KEY_WORD | KEY_OBJ, "echo or model",
	.flags = KEY_OPEN, .words = "echo model", .fallback = AD ".runtime"),
    ROW(AL ".model", KEY_STR | KEY_OBJ,
	"provider/model, or an object with primary", .flags = KEY_OPEN,
	.max = 256, .fallback = AD ".model"),
    LONG(AL ".model.primary", 256, "provider/model"),
    ROW(AL ".prompt", KEY_STR, "system prompt", .max = PROMPT_MAX,
	.fallback = AD ".prompt"),
    LEGACY(AL ".systemPrompt", KEY_STR, AL ".prompt",
	.max = PROMPT_MAX),
    ROW(AL ".timeoutSeconds", KEY_INT, "deadline of a turn", .min = 1,
	.max = 86400, .fallback = AD ".timeoutSeconds", .flags = KEY_MORE),
    OPEN(AL ".groupChat", "in channels"),
    ROW(AL ".groupChat.mentionPatterns", KEY_STRS,
	"regular expressions that count as a mention", .max = 100,
	.fallback = "messages.groupChat.mentionPatterns"),
    ROW("agents.entries", KEY_MAP, "the agents by id, in place of list"),
    OPEN("agents.entries.*", "one agent, with the keys of list[]"),

    ROW("bindings", KEY_LIST, "which agent gets what, first match first"),
    OPEN("bindings[]", "one rule"),
    STR("bindings[].agentId", NULL, "the agent"),
    OPEN("bindings[].match", "all that is given must hold"),
    STR("bindings[].match.channel", NULL, "mattermost; others are ignored"),
    STR("bindings[].match.accountId", "\"default\"",
	"account id; \"*\": every account"),
    LONG("bindings[].match.teamId", 26, "team id"),
    OPEN("bindings[].match.peer", "a user or a channel"),
    STR("bindings[].match.peer.kind", NULL,
	"direct, group or channel; the last two are the same"),
    LONG("bindings[].match.peer.id", 256, "its id; \"*\": all of the kind"),

    OPEN("models", "language models"),
    ROW("models.providers", KEY_MAP, "servers of models, by id"),
    OPEN(MP, "one server"),
    STR(MP ".baseUrl", NULL, "address, with /v1"),
    ROW(MP ".apiKey", KEY_SECRET, "key of the server, if it wants one"),
    STR(MP ".api", "\"openai-completions\"",
	"protocol; openai-completions is the one spoken here"),
    ROW(MP ".models", KEY_LIST, "what is known about its models"),
    OPEN(MP ".models[]", "one model"),
    LONG(MP ".models[].id", 256, "its name at the server"),
    STR(MP ".models[].name", NULL, "label for people"),
    MORE(MP ".models[].contextWindow", 256, 100000000, "128000",
	"tokens it can read"),
    MORE(MP ".models[].maxTokens", 1, 10000000, "8192",
	"tokens it may write in one answer"),
    STRS(MP ".models[].input", "[\"text\"]",
	"what it reads: text, image"),
    ROW(MP ".proxy", KEY_PROXY, "HTTP proxy, reached with CONNECT"),
    STR(MP ".caFile", NULL, "certificates to trust in place of the system's"),
    LONG(MP ".tlsPin", 128, "public key the server must show: sha256//..."),
    INT(MP ".parallel", 1, 256, "16", "requests of one agent at once"),

    OPEN("session", "sessions"),
    WORD("session.dmScope",
	"main per-peer per-channel-peer per-account-channel-peer", "\"main\"",
	"which direct messages share a session"),
    STR("session.groupScope", NULL,
	"main: channels share the main session; else one each"),
    ROW("session.identityLinks", KEY_MAP, "one person's user ids, by name",
	.dflt = "{}"),
    ROW("session.identityLinks.*", KEY_IDS, "the user ids"),
    ROW("session.mainKey", KEY_STR, "name of the main session", .max = 64,
	.dflt = "\"main\""),
    ROW("session.store", KEY_ANY, "taken and kept; see store.path"),

    OPEN("messages", "messages"),
    OPEN("messages.inbound", "on the way in"),
    MORE("messages.inbound.debounceMs", 0, 600000, "0",
	"wait this long for more from the same sender"),
    ROW("messages.inbound.byChannel", KEY_MAP, "debounceMs by service"),
    MORE("messages.inbound.byChannel.*", 0, 600000, NULL,
	"debounceMs of this service"),
    OPEN("messages.groupChat", "in channels"),
    MORE("messages.groupChat.historyLimit", 0, 1000, NULL,
	"historyLimit of accounts that set none"),
    ROW("messages.groupChat.mentionPatterns", KEY_STRS,
	"mentionPatterns of agents that set none", .max = 100),
    STR("messages.responsePrefix", NULL,
	"responsePrefix of accounts that set none"),

    OPEN("commands", "text commands"),
    BOOL("commands.text", "true", "take commands written as text"),
    IDS("commands.ownerAllowFrom", "[]",
	"taken and kept; no command is the owner's alone"),
    ROW("commands.allowFrom", KEY_MAP, "user ids that may use commands",
	.dflt = "{}"),
    IDS("commands.allowFrom.*", NULL, "of this service, or \"*\""),

    ROW("accessGroups", KEY_MAP, "named groups for allowlists", .dflt = "{}"),
    OPEN("accessGroups.*", "one group"),
    STR("accessGroups.*.type", NULL, "message.senders"),
    ROW("accessGroups.*.members", KEY_MAP,
	"user ids by service, or \"*\" for all"),
    IDS("accessGroups.*.members.*", NULL, "user ids"),

    OPEN("tools", "tools of the agents"),
    OPEN("tools.message", "the message tool"),
    OPEN(TC, "acting outside of the conversation"),
    BOOL(TC ".allowWithinProvider", "true",
	"act in other conversations of the account"),
    ROW(TC ".allowAcrossProviders", KEY_ANY, "taken and kept"),
    OPEN(TC ".marker", "what is put before posts elsewhere"),
    BOOL(TC ".marker.enabled", "true", "put it"),
    STR(TC ".marker.prefix", "\"[from {channel}] \"",
	"the text; {channel} is where it comes from"),
    ROW(TC ".marker.suffix", KEY_ANY, "taken and kept"),
    OPEN("tools.message.broadcast", "one message to several"),
    BOOL("tools.message.broadcast.enabled", "true",
	"the action broadcast; needs crossContext.allowWithinProvider, too"),

    OPEN("gateway", "the listener for slash commands, buttons and hooks"),
    INT("gateway.port", -65535, 65535, "18789",
	"its port; zero and less count as absent"),
    WORD("gateway.bind", "auto loopback lan tailnet custom", "\"loopback\"",
	"where it listens"),
    STR("gateway.customBindHost", NULL,
	"address for bind custom, and host name in callback addresses"),
    STRS("gateway.trustedProxies", "[]",
	"addresses and networks whose X-Forwarded-For is believed"),
    BOOL("gateway.allowRealIpFallback", "false",
	"believe their X-Real-IP too"),
    STR("gateway.socket", NULL, "UNIX socket to listen on as well"),
    STR("gateway.socketGroup", NULL,
	"group that may use it; absent: postern.group"),
    OPEN("gateway.tls", "TLS of the listener"),
    BOOL("gateway.tls.enabled", "false", "speak TLS"),
    STR("gateway.tls.certPath", NULL, "certificate chain, PEM"),
    STR("gateway.tls.keyPath", NULL, "private key, PEM"),

    OPEN("hooks", "POST /hooks/agent and /hooks/wake"),
    BOOL("hooks.enabled", "false", "take hooks"),
    ROW("hooks.token", KEY_SECRET, "token a hook must show"),
    STR("hooks.path", "\"/hooks\"", "path before /agent and /wake"),
    BOOL("hooks.allowRequestSessionKey", "false",
	"a hook may name its session"),

    OPEN("secrets", "where secrets come from"),
    ROW("secrets.providers", KEY_MAP, "sources by name"),
    OPEN(SP, "one source"),
    WORD(SP ".source", "env file exec store", NULL, "its kind"),
    STR(SP ".path", NULL, "file: absolute path"),
    WORD(SP ".mode", "json singleValue", "\"json\"",
	"file: JSON with pointers into it, or one secret"),
    STR(SP ".command", NULL, "exec: absolute path of the program"),
    STRS(SP ".args", "[]", "exec: its arguments"),
    STRS(SP ".passEnv", "[]", "exec: environment variables it gets"),
    BOOL(SP ".jsonOnly", "true",
	"exec: it answers with JSON; false: with the secret alone"),

    OBJ("log", "the log"),
    WORD("log.level", "error warning info debug trace", "\"info\"",
	"least weight that is written"),
    WORD("log.format", "text json", "\"text\"", "form of a line"),
    STR("log.destination", "\"syslog\"", "syslog, stderr or a file"),

    OBJ("store", "the database"),
    STR("store.path", NULL, "its directory; absent: as built"),
    INT("store.retentionDays", 1, 3650, "30",
	"how long it can be explained what was done and what was not"),

    OBJ("gapFill", "posts written while nobody was connected"),
    INT("gapFill.maxAgeMinutes", 0, 525600, NULL,
	"gapFill.maxAgeMinutes of accounts that set none"),

    OBJ("postern", "the daemon itself"),
    STR("postern.user", NULL, "user of the workers; absent: as built"),
    STR("postern.storeUser", NULL, "user of the store; absent: as built"),
    STR("postern.group", NULL,
	"group that may use the control socket; absent: as built"),
    STR("postern.runDir", NULL, "run-time directory; absent: as built"),
    STR("postern.controlSocket", NULL, "absent: control.sock in runDir"),
    STR("postern.metrics", NULL,
	"address:port or path where metrics are read; absent: nowhere"),

    {.path = NULL},
};

/*
 * What the peer of 2026 has in the objects that we share with it. Without
 * this list its "models" would look like a slip of the pen for "model".
 */
const struct config_ignored config_ignored[] = {
    {"", "$schema acp auth approvals audio broadcast browser canvasHost cli "
	 "cron diagnostics discovery env logging mcp media memory meta "
	 "nodeHost plugins security skills surfaces talk tts ui update web "
	 "wizard"},
    {"channels", "bluebubbles discord feishu googlechat imessage irc line "
		 "matrix modelByChannel msteams nextcloud-talk nostr qqbot "
		 "signal slack synology-chat telegram tlon twitch wechat "
		 "whatsapp zalo zalouser"},
    {"channels.defaults", "botLoopProtection healthMonitor heartbeat"},
    {"agents", "bindings"},
    {AD ".model", "fallbacks"},
    {AL ".model", "fallbacks"},
    {AD, "agentRuntime blockStreamingBreak blockStreamingChunk "
	 "blockStreamingCoalesce bootstrapMaxChars bootstrapTotalMaxChars "
	 "cliBackends "
	 "compaction contextInjection contextPruning contextTokens "
	 "elevatedDefault embeddedHarness embeddedPi envelopeElapsed "
	 "envelopeTimestamp envelopeTimezone experimental fastModeDefault "
	 "heartbeat humanDelay imageGenerationModel imageMaxDimensionPx "
	 "imageModel "
	 "llm maxConcurrent memorySearch models musicGenerationModel params "
	 "pdfMaxBytesMb pdfMaxPages pdfModel reasoningDefault repoRoot "
	 "sandbox skills skipBootstrap startupContext subagents "
	 "systemPromptOverride thinkingDefault timeFormat toolProgressDetail "
	 "tools utilityModel verboseDefault videoGenerationModel workspace"},
    {AL, "agentDir agentRuntime contextInjection contextTokens "
	 "description embeddedHarness fastModeDefault heartbeat humanDelay "
	 "memorySearch models params reasoningDefault sandbox skills "
	 "subagents systemPromptOverride thinkingDefault tools tts "
	 "verboseDefault workspace"},
    {AL ".identity", "avatar creature theme vibe"},
    {AL ".groupChat", "historyLimit unmentionedInbound visibleReplies"},
    {"bindings[]", "acp comment session type"},
    {"bindings[].match", "guildId roles"},
    {"models", "bedrockDiscovery mode pricing"},
    {MP, "auth authHeader contextTokens contextWindow headers "
	 "injectNumCtxForOpenAICompat localService maxTokens params region "
	 "request timeoutSeconds"},
    {MP ".models[]", "agentRuntime api baseUrl compat contextTokens cost "
		     "headers mediaInput metadataSource params reasoning "
		     "thinkingLevelMap"},
    {"session", "agentToAgent idleMinutes maintenance parentForkMaxTokens "
		"reset resetByChannel resetByType resetTriggers scope "
		"sendPolicy threadBindings typingIntervalSeconds typingMode "
		"writeLock"},
    {"messages", "ackReaction ackReactionScope messagePrefix queue "
		 "removeAckAfterReply statusReactions suppressToolErrors tts "
		 "usageTemplate visibleReplies"},
    {"messages.groupChat", "unmentionedInbound visibleReplies"},
    {"commands", "bash bashForegroundMs config debug mcp native "
		 "nativeSkills ownerDisplay ownerDisplaySecret plugins "
		 "restart useAccessGroups"},
    {"tools", "agentToAgent allow alsoAllow byProvider codeMode deny elevated "
	      "exec experimental fs links loopDetection media profile sandbox "
	      "sessions sessions_spawn subagents web"},
    {"tools.message", "actions allowCrossContextSend"},
    {"gateway", "auth channelHealthCheckMinutes channelMaxRestartsPerHour "
		"channelStaleEventThresholdMinutes controlUi "
		"handshakeTimeoutMs http mode nodes push reload remote "
		"tailscale tools webchat"},
    {"gateway.tls", "autoGenerate caPath"},
    {"hooks", "allowedAgentIds "
	      "allowedSessionKeyPrefixes defaultSessionKey gmail internal "
	      "mappings maxBodyBytes presets transformsDir"},
    {"secrets", "defaults resolution"},
    {SP, "allowInsecurePath allowSymlinkCommand allowlist env maxBytes "
	 "maxOutputBytes noOutputTimeoutMs timeoutMs trustedDirs"},
    {NULL, NULL},
};
