/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_client.c - what all clients of a made-up broker have in common, as the plugin asks for it:
 * MQTT 3.1.1 over WebSockets with a clean session, and no subscription yet.
 */
#include <mosquitto.h>
#include <mosquitto_broker.h>

bool mosquitto_client_clean_session(const struct mosquitto *client)
{
    (void)client;
    return true;
}

int mosquitto_client_keepalive(const struct mosquitto *client)
{
    (void)client;
    return 30;
}

int mosquitto_client_protocol(const struct mosquitto *client)
{
    (void)client;
    return mp_websockets;
}

int mosquitto_client_protocol_version(const struct mosquitto *client)
{
    (void)client;
    return 4;
}

int mosquitto_client_sub_count(const struct mosquitto *client)
{
    (void)client;
    return 0;
}
