"""A WeChat Official Account (服务号): its protocol, what came in, what goes out, and who delivers.

No web here and no answering: `service.channels.wechat` receives the callbacks and says what to
reply. `codec` and `messages` are the protocol, `accounts` the configuration, `inbox` and `outbox`
the tables, `client` and `tokens` the platform's API, `delivery` the threads, `simulator` a platform
to try it with.
"""
