"""Lab Streaming Layer streams: EEG and markers in, and a player that sends recordings out."""
