package standin

// The parts from which names are put together, one character each but for the
// trades, which are two. They are common on purpose: a generated name says
// nothing about anybody.
const (
	surnames  = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹"
	syllables = "安柏博晨诚丹东帆芳丰歌光海涵和恒华嘉建洁静君凯朗乐磊琳明宁平琪清然瑞森松涛彤伟文溪晓欣雅阳怡宇远"
	trades    = "科技贸易物流建设机械食品教育置业"
)
