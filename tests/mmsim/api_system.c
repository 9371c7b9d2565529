#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/mmsim/api.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

static void
ping(struct req *r)
{
	const char *full = req_query(r, "get_server_status");
	struct buf b = {0};

	buf_str(&b, "{\"AndroidLatestVersion\":\"\",\"AndroidMinVersion\":"
	    "\"\",\"DesktopLatestVersion\":\"\",\"DesktopMinVersion\":\"\","
	    "\"IosLatestVersion\":\"\",\"IosMinVersion\":\"\",");
	if (full != NULL && !strcmp(full, "true")) {
		buf_str(&r->extra, "Database_status: OK\r\n"
		    "Filestore_status: OK\r\nStatus: OK\r\n");
		buf_str(&b, "\"database_status\":\"OK\","
		    "\"filestore_status\":\"OK\",");
	}
	buf_str(&b, "\"status\":\"OK\"}");
	api_json(r, 200, &b);
}

static void
put_numbers(struct buf *b)
{
	char num[24];

	snprintf(num, sizeof(num), "%lld", (long long)sim.max_file_size);
	buf_kstr(b, "MaxFileSize", num);
	snprintf(num, sizeof(num), "%d", sim.max_post_size);
	buf_kstr(b, "MaxPostSize", num);
	buf_kstr(b, "MinimumHashtagLength", "3");
	snprintf(num, sizeof(num), "%d", sim.edit_limit);
	buf_kstr(b, "PostEditTimeLimit", num);
}

/* Those of the 180 keys that a client without a browser looks at. */
static void
client_config(struct req *r)
{
	struct buf b = {0};

	if (req_query(r, "format") == NULL) {
		api_error(r, 501, "api.config.client.old_format.app_error",
		    "New format for the client configuration is not supported"
		    " yet. Please specify format=old in the query string.");
		return;
	}
	buf_str(&b, "{");
	buf_kstr(&b, "AllowEditPost", "always");
	buf_kstr(&b, "BuildNumber", "");
	buf_kstr(&b, "DefaultClientLocale", "en");
	buf_kstr(&b, "EnableBotAccountCreation", "true");
	buf_kstr(&b, "EnableCommands", "true");
	buf_kstr(&b, "EnableFileAttachments", "true");
	buf_kstr(&b, "EnableIncomingWebhooks", "true");
	buf_kstr(&b, "EnableLinkPreviews", "true");
	buf_kstr(&b, "EnablePostIconOverride", "false");
	buf_kstr(&b, "EnablePostUsernameOverride", "false");
	buf_kstr(&b, "EnableReliableWebSockets",
	    sim.reliable ? "true" : "false");
	buf_kstr(&b, "EnableUserTypingMessages", "true");
	put_numbers(&b);
	buf_kstr(&b, "SiteName", "Mattermost");
	buf_kstr(&b, "SiteURL", sim.url);
	buf_kstr(&b, "TeammateNameDisplay", "username");
	buf_kstr(&b, "TelemetryId", "");
	buf_kstr(&b, "TimeBetweenUserTypingUpdatesMilliseconds", "5000");
	buf_kstr(&b, "Version", SIM_VERSION);
	buf_kstr(&b, "WebsocketPort", "80");
	buf_kstr(&b, "WebsocketSecurePort", "443");
	buf_kstr(&b, "WebsocketURL", "");
	buf_str(&b, "}");
	api_json(r, 200, &b);
}

static void
license(struct req *r)
{
	struct buf b = {0};

	buf_str(&b, "{\"IsLicensed\":\"false\"}");
	api_json(r, 200, &b);
}

const struct route routes_system[] = {
    {"GET", "/api/v4/websocket", ws_upgrade, API_OPEN},
    {"GET", "/api/v4/websocket/", ws_upgrade, API_OPEN},
    {"GET", "/api/v4/system/ping", ping, API_OPEN},
    {"GET", "/api/v4/config/client", client_config, API_OPEN},
    {"GET", "/api/v4/license/client", license, API_OPEN},
    {NULL, NULL, NULL, 0}};
