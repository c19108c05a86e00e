"""A chat with the service in a terminal, through the simulated platform."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

import uvicorn

from service.wechat.accounts import Account
from service.wechat.simulator import Callback, Delivered, Platform

HELP = """直接打字就是给公众号发消息。还可以：
  /关注 [场景]   /取关   /扫码 场景   /点 菜单名   /语音 [识别出的文字]   /图片   /位置
  /用户 名字（换一个市民）   /菜单   /48小时（窗口过期）   /令牌过期   /帮助   /退出"""


class Prompt:
    """Reads lines, shows what the citizen would see."""

    def __init__(self, platform: Platform, account: Account, show: Callable[[str], None]) -> None:
        self._platform, self._account, self._show = platform, account, show
        self._openid, self._shown = "o_simulated_1", 0

    async def run(self, port: int) -> None:
        """Until the citizen leaves. The API is served meanwhile."""
        config = uvicorn.Config(self._platform.app, port=port, log_level="error")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        watching = asyncio.create_task(self._watch())
        self._show(HELP)
        try:
            while True:
                line = await asyncio.to_thread(sys.stdin.readline)
                if not line or line.strip() in ("/退出", "/exit"):
                    break
                if line.strip():
                    await self._do(line.strip())
        finally:
            watching.cancel()
            server.should_exit = True
            await serving
            await self._platform.close()

    async def _do(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        rest = rest.strip()
        platform, openid = self._platform, self._openid
        sends: dict[str, Callable[[], Awaitable[Callback]]] = {
            "/关注": lambda: platform.event(
                openid, "subscribe", f"qrscene_{rest}" if rest else "", Ticket="t"
            ),
            "/取关": lambda: platform.event(openid, "unsubscribe"),
            "/扫码": lambda: platform.event(openid, "SCAN", rest, Ticket="t"),
            "/点": lambda: platform.event(openid, "CLICK", self._key_of(rest)),
            "/语音": lambda: platform.message(
                openid, {"MsgType": "voice", "MediaId": "m", "Format": "amr", "Recognition": rest}
            ),
            "/图片": lambda: platform.message(
                openid, {"MsgType": "image", "PicUrl": "http://x", "MediaId": "m"}
            ),
            "/位置": lambda: platform.message(
                openid, {"MsgType": "location", "Location_X": "31.2", "Location_Y": "121.4"}
            ),
        }
        if name in sends:
            self._told(await sends[name]())
        elif name == "/用户":
            self._openid = f"o_simulated_{rest or 1}"
        elif name == "/菜单":
            for top in self._account.menu:
                below = "、".join(entry.name for entry in top.entries)
                self._show(f"{top.name}：{below}" if below else top.name)
        elif name == "/48小时":
            platform.end_windows(openid)
        elif name == "/令牌过期":
            platform.end_tokens()
        elif name.startswith("/"):
            self._show(HELP)
        else:
            self._told(await platform.text(openid, line))

    def _told(self, callback: Callback) -> None:
        if not callback.accepted:
            self._show("【该公众号提供的服务出现故障，请稍后再试】（三次都没有收到有效的回应）")
        seconds = "、".join(f"{s:.2f}秒" for s in callback.seconds)
        self._show(f"    （回调用时 {seconds}{'' if callback.reply else '，没有被动回复'}）")

    def _key_of(self, name: str) -> str:
        entries = [e for top in self._account.menu for e in (top, *top.entries)]
        return next((e.key for e in entries if e.name == name), name)

    async def _watch(self) -> None:
        while True:
            new: list[Delivered] = self._platform.delivered[self._shown :]
            self._shown += len(new)
            for message in new:
                way = "" if message.way == "passive" else "〔客服消息〕"
                self._show(f"公众号 → {message.openid[-8:]}{way}：\n{message.text}\n")
            await asyncio.sleep(0.1)
