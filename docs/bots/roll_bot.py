# Rolls a die for everybody who writes "!roll":
# python3 roll_bot.py <host> <port> <name> --password-file FILE
import json, random, subprocess, sys

chat = subprocess.Popen(
    ["chatclient", "--json", *sys.argv[1:]],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
)
for line in chat.stdout:
    event = json.loads(line)
    if event["type"] == "message" and event["text"].strip() == "!roll":
        text = f"{event['from']} rolls {random.randint(1, 6)}"
        room = event.get("room")
        where = {"type": "public"} if room is None else {"type": "say", "room": room}
        print(json.dumps({**where, "text": text}), file=chat.stdin, flush=True)
sys.exit(chat.wait())
